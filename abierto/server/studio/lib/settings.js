/** How the page looks to this person; kept in this browser. */
import { effect, signal } from "./html.js";

export const THEMES = ["auto", "light", "dark", "contrast"];
export const SIZES = ["small", "medium", "large"];

/** @param {string} name @param {string} usual */
function kept(name, usual) {
  const found = signal(localStorage.getItem(`abierto.${name}`) ?? usual);
  effect(() => localStorage.setItem(`abierto.${name}`, found.value));
  return found;
}

export const theme = kept("theme", "auto");
export const textSize = kept("text", "medium");
export const chosenLanguage = kept("language", navigator.language.toLowerCase().startsWith("es") ? "es" : "en");
export const model = kept("model", "");
/** Whether keys of one letter do something: "on" or "off". */
export const letterKeys = kept("keys", "on");

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  document.documentElement.dataset.text = textSize.value;
});
