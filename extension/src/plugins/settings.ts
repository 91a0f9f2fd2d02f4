import type { JupyterFrontEndPlugin } from "@jupyterlab/application";
import { ISettingRegistry } from "@jupyterlab/settingregistry";
import { publishPreferences } from "../publishedPreferences.js";

/** How new figures look. */
export const settingsPlugin: JupyterFrontEndPlugin<void> = {
  id: "attention-lab-extension:settings",
  description: "Palette, colour scale, size and precision of Attention Lab's figures.",
  autoStart: true,
  optional: [ISettingRegistry],
  activate: async (_app, registry: ISettingRegistry | null) => {
    if (!registry) return;
    const settings = await registry.load(settingsPlugin.id);
    const publish = (): void => {
      const { palette, scale, size, digits } = settings.composite;
      publishPreferences({ palette: text(palette), scale: text(scale), size: text(size), digits: text(digits) });
    };
    settings.changed.connect(publish);
    publish();
  },
};

const text = (value: unknown): string => (typeof value === "string" || typeof value === "number" ? String(value) : "");
