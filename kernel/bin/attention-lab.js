#!/usr/bin/env node
import { runCommand } from "../lib/host/install/command.js";

process.exitCode = await runCommand(process.argv.slice(2));
