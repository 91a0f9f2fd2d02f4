import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { commandsPlugin } from "./plugins/commands.js";
import { launcherPlugin } from "./plugins/launcher.js";
import { linkPlugin } from "./plugins/link.js";
import { placesPlugin } from "./plugins/places.js";
import { settingsPlugin } from "./plugins/settings.js";
import { typeErrorsPlugin } from "./plugins/typeErrors.js";

/** The plugins of the extension; figures are drawn by the renderer in `mime.ts`, which needs none of them. */
const plugins: JupyterFrontEndPlugin<void>[] = [
  settingsPlugin,
  linkPlugin,
  commandsPlugin,
  typeErrorsPlugin,
  placesPlugin,
  launcherPlugin,
];

export default plugins;
