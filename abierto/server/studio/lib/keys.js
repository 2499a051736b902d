/** Keys of one letter, for those who like to leave the mouse alone. A key presses, or goes to, what carries its letter in
 * `data-key`: in the message that has the focus, else the last one on the page. They rest while one writes.
 */
import { html, signal, useLayoutEffect, useRef } from "./html.js";
import { letterKeys } from "./settings.js";
import { t } from "./words.js";

/** Which keys there are; each has a sentence under `keys.`. */
const LETTERS = ["n", "/", "m", "s", "j", "k", "e", "r", "c", "[", "]"];
const NAMES = /** @type {Record<string, string>} */ ({ "/": "search", "[": "before", "]": "after" });
const FIELDS = "input:not([type=checkbox], [type=radio], [type=range]), textarea, select";

export const helping = signal(false);

/** @param {KeyboardEvent} event @param {string[]} panels */
export function pressed(event, panels) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
  if (document.querySelector("dialog[open]")) return;
  if (target.closest?.(FIELDS)) {
    if (event.key === "Escape") target.blur();
    return;
  }
  if (letterKeys.value === "off") return;
  const panel = panels[Number(event.key) - 1];
  if (event.key === "?") helping.value = true;
  else if (panel) location.hash = `#${panel}`;
  else if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  else if (!LETTERS.includes(event.key) || !act(event.key, target)) return;
  event.preventDefault();
}

/** Go to the next message, or to the one before.
 * @param {number} by */
function step(by) {
  const all = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".said article")]);
  const here = all.findIndex((one) => one.contains(document.activeElement));
  const next = here < 0 ? all[all.length - 1] : all[here + by];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/** @param {string} key @param {HTMLElement} target */
function act(key, target) {
  const wanted = `[data-key="${CSS.escape(key)}"]:not(:disabled)`;
  const near = target.closest?.("article")?.querySelector(wanted);
  const found = /** @type {HTMLElement | undefined} */ (near ?? [...document.querySelectorAll(wanted)].pop());
  if (!found) return false;
  if (found.matches(FIELDS)) found.focus();
  else found.click();
  return true;
}

/** All keys, as a list. */
export function Keys() {
  return html`<dl class="keys">
    <dt><kbd>Enter</kbd></dt>
    <dd>${t("keys.send")}</dd>
    <dt><kbd>Shift</kbd> <kbd>Enter</kbd></dt>
    <dd>${t("keys.line")}</dd>
    <dt><kbd>Esc</kbd></dt>
    <dd>${t("keys.stop")}</dd>
    <dt><kbd>1</kbd> – <kbd>9</kbd></dt>
    <dd>${t("keys.panel")}</dd>
    ${LETTERS.map(
      (key) =>
        html`<dt><kbd>${key}</kbd></dt>
          <dd>${t(`keys.${NAMES[key] ?? key}`)}</dd>`,
    )}
    <dt><kbd>?</kbd></dt>
    <dd>${t("keys.help")}</dd>
  </dl>`;
}

/** The list, over the page. */
export function Help() {
  const box = useRef(/** @type {HTMLDialogElement | null} */ (null));
  // Before the next key is pressed, and before anything else takes the focus to which it goes back.
  useLayoutEffect(() => {
    if (helping.value) box.current?.showModal();
  }, [helping.value]);
  if (!helping.value) return null;
  return html`<dialog ref=${box} aria-labelledby="help" onClose=${() => (helping.value = false)}>
    <h2 id="help">${t("keys.title")}</h2>
    <${Keys} />
    <form method="dialog"><button class="button">${t("keys.close")}</button></form>
  </dialog>`;
}
