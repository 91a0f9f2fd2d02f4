import { parentPort, workerData } from "node:worker_threads";
import { completionsAt } from "./completions.js";
import { diagnosticsOf } from "./diagnostics.js";
import { inspectAt } from "./inspection.js";
import type { FromWorker, Question, ToWorker } from "./messages.js";
import { createProject } from "./project.js";

const { folder } = workerData as { readonly folder: string };
const project = createProject(folder);
let cells: readonly string[] = [];

function answerTo(question: Question): unknown {
  switch (question.about) {
    case "completion":
      return completionsAt(project, question.code, question.cursor);
    case "inspection":
      return inspectAt(project, question.code, question.cursor, question.detail);
    case "diagnostics":
      return diagnosticsOf(project, question.code);
  }
}

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "cells") {
    cells = [...cells.slice(0, message.kept), ...message.added];
    return project.setCells(cells);
  }
  const post = (reply: FromWorker): void => parentPort?.postMessage(reply);
  try {
    post({ id: message.id, answer: answerTo(message.question) });
  } catch (error) {
    post({ id: message.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  }
});
