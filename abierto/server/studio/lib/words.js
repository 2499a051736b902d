/** The sentences of the page in the person's language. They come from the same files as those of the command line. */
import { signal } from "./html.js";

/** @type {import("../vendor/signals-core.js").Signal<Record<string, string>>} */
export const words = signal({});
export const language = signal("en");

/** Load a language. Raises what `fetch` raises.
 * @param {string} wanted "en" or "es" */
export async function speak(wanted) {
  const reply = await fetch(new URL(`../words/${wanted}.json`, import.meta.url));
  words.value = await reply.json();
  language.value = wanted;
  document.documentElement.lang = wanted;
}

/** A sentence with its gaps filled.
 * @param {string} key without "studio." @param {Record<string, string | number>} [gaps] */
export function t(key, gaps = {}) {
  const sentence = words.value[key] ?? key;
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(gaps[name] ?? whole));
}

/** @param {number} value @param {number} [digits] */
export function number(value, digits = 0) {
  return new Intl.NumberFormat(language.value, { maximumFractionDigits: digits }).format(value);
}

/** Bytes as a person reads them: decimal prefixes, as on a disk's box.
 * @param {number} bytes */
export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let power = 0;
  while (bytes >= 1000 && power < units.length - 1) {
    bytes /= 1000;
    power += 1;
  }
  return `${number(bytes, bytes < 10 && power ? 1 : 0)} ${units[power]}`;
}

/** @param {string} iso */
export function when(iso) {
  return new Intl.DateTimeFormat(language.value, { dateStyle: "medium", timeStyle: "short" }).format(new Date(iso));
}

/** A moment beside others: its time of day, and its day where they lie more than a day apart.
 * @param {number} at milliseconds since 1970 @param {number} apart milliseconds */
export function moment(at, apart) {
  const far = apart > 24 * 3600 * 1000;
  /** @type {Intl.DateTimeFormatOptions} */
  const parts = far ? { day: "numeric", month: "short", hour: "numeric", minute: "2-digit" } : { timeStyle: "medium" };
  return new Intl.DateTimeFormat(language.value, parts).format(at);
}
