/** Line drawings of 20 by 20, in the colour of the text. */
import { html } from "./html.js";

const PATHS = /** @type {Record<string, string>} */ ({
  chat: "M4 5h12v8H9l-4 3v-3H4z",
  models: "M10 3l6 3.5v7L10 17l-6-3.5v-7zM4 6.5l6 3.5 6-3.5M10 10v7",
  compare: "M4 4h5v12H4zM11 4h5v12h-5z",
  notebook: "M5 3h10v14H5zM8 7h4M8 10h4M8 13h2",
  activity: "M3 11h3l2-6 4 11 2-5h3",
  settings: "M4 6h7m4 0h1M4 14h1m4 0h7M11 4v4M9 12v4M13 4v4M5 12v4",
  draw: "M3 4h14v12H3zM3 13l4-4 4 4 3-3 3 3M12.5 7.5h.01",
  plus: "M10 4v12M4 10h12",
  send: "M10 16V4m-5 5l5-5 5 5",
  stop: "M6 6h8v8H6z",
  copy: "M7 7h8v9H7zM5 13V4h8",
  edit: "M4 16l1-4 8-8 3 3-8 8zM11 6l3 3",
  retry: "M15 6a6 6 0 1 0 1 5M16 3v4h-4",
  left: "M12 5l-5 5 5 5",
  right: "M8 5l5 5-5 5",
  bin: "M4 6h12M8 6V4h4v2M6 6l1 10h6l1-10",
  save: "M10 3v9m-4-4l4 4 4-4M4 16h12",
  menu: "M3 6h14M3 10h14M3 14h14",
  sliders: "M5 4v12M10 4v12M15 4v12M3 8h4M8 12h4M13 7h4",
  folder: "M3 5h5l2 2h7v9H3z",
  close: "M5 5l10 10M15 5L5 15",
  pause: "M7 5v10M13 5v10",
  keys: "M3 6h14v8H3zM6 9h1M10 9h1M14 9h1M7 12h6",
});

/** @param {{name: string}} props a name of the table, or a path */
export function Icon({ name }) {
  return html`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true"><path d=${PATHS[name] ?? name} /></svg>`;
}
