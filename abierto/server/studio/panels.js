/** The panels of the studio: a folder and a line for each. */
import { Activity } from "./panels/activity/activity.js";
import { Chat } from "./panels/chat/chat.js";
import { Models } from "./panels/models/models.js";
import { Settings } from "./panels/settings/settings.js";

export const PANELS = [
  { name: "chat", icon: "chat", view: Chat },
  { name: "models", icon: "models", view: Models },
  { name: "activity", icon: "activity", view: Activity },
  { name: "settings", icon: "settings", view: Settings },
];
