/** The panels of the studio: a folder and a line for each. */
import { Activity } from "./panels/activity/activity.js";
import { Chat } from "./panels/chat/chat.js";
import { Compare } from "./panels/compare/compare.js";
import { Models } from "./panels/models/models.js";
import { Notebook } from "./panels/notebook/notebook.js";
import { Settings } from "./panels/settings/settings.js";

export const PANELS = [
  { name: "chat", icon: "chat", view: Chat },
  { name: "compare", icon: "compare", view: Compare },
  { name: "notebook", icon: "notebook", view: Notebook },
  { name: "models", icon: "models", view: Models },
  { name: "activity", icon: "activity", view: Activity },
  { name: "settings", icon: "settings", view: Settings },
];
