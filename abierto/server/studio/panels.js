/** The panels of the studio: a folder and a line for each. All but the first are fetched when they are shown. */
import { late } from "./lib/late.js";
import { Chat } from "./panels/chat/chat.js";

export const PANELS = [
  { name: "chat", icon: "chat", view: Chat },
  { name: "compare", icon: "compare", view: late(async () => (await import("./panels/compare/compare.js")).Compare) },
  { name: "notebook", icon: "notebook", view: late(async () => (await import("./panels/notebook/notebook.js")).Notebook) },
  { name: "draw", icon: "draw", view: late(async () => (await import("./panels/draw/draw.js")).Draw) },
  { name: "models", icon: "models", view: late(async () => (await import("./panels/models/models.js")).Models) },
  { name: "activity", icon: "activity", view: late(async () => (await import("./panels/activity/activity.js")).Activity) },
  { name: "settings", icon: "settings", view: late(async () => (await import("./panels/settings/settings.js")).Settings) },
];
