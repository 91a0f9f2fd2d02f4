import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { publishPreferences } from "../publishedPreferences.js";

/** Palette and colour scale that new figures start with. */
export const settingsPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:settings",
  description: "Palette and colour scale of Attention Lab's figures.",
  autoStart: true,
  optional: [ISettingRegistry],
  activate: async (_app, registry: ISettingRegistry | null) => {
    if (!registry) return;
    const settings = await registry.load(settingsPlugin.id);
    const publish = (): void => {
      publishPreferences(text(settings.composite["palette"]), text(settings.composite["scale"]));
    };
    settings.changed.connect(publish);
    publish();
  },
};

const text = (value: unknown): string => (typeof value === "string" ? value : "");
