/** The field to say something, with what is attached. Nothing of it is lost when the page is loaded anew. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { keep, kept } from "../../lib/kept.js";
import { known } from "../../lib/models.js";
import { model } from "../../lib/settings.js";
import { t } from "../../lib/words.js";
import { Files, read } from "./files.js";
import { Meter } from "./meter.js";
import { busy, say, stop } from "./store.js";
import { trouble } from "./talk.js";

/** @typedef {import("./files.js").Attached} Attached */

/** What is attached, and how to change that; it is kept under the name of the draft.
 * @param {string} draft @returns {[Attached[], (files: Attached[]) => void, (chosen: Iterable<File>) => void]} */
function useFiles(draft) {
  const [files, show] = useState(/** @type {Attached[]} */ ([]));
  useEffect(() => {
    kept(draft).then((found) => found.length && show((now) => (now.length ? now : found)));
  }, [draft]);
  const attach = (/** @type {Attached[]} */ now) => {
    show(now);
    keep(draft, now);
  };
  const add = (/** @type {Iterable<File>} */ chosen) => {
    trouble.value = "";
    read(chosen).then(
      (found) => attach([...files, ...found]),
      (problem) => (trouble.value = problem.message),
    );
  };
  return [files, attach, add];
}

/** @param {{parent: string, last: any, draft: string}} props */
export function Composer({ parent, last, draft }) {
  const [text, write] = useState(localStorage.getItem(draft) ?? "");
  const [files, attach, add] = useFiles(draft);
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [meant, mean] = useState(false);
  const nothing = (!text.trim() && !files.length) || (known.value && !model.value);
  useLayoutEffect(() => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
  }, [text]);
  useLayoutEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);
  const typed = (/** @type {string} */ value) => {
    write(value);
    if (value) localStorage.setItem(draft, value);
    else localStorage.removeItem(draft);
  };
  // A conversation that has just begun gets its number while the next thing is typed.
  const before = useRef(draft);
  useEffect(() => {
    if (before.current === draft) return;
    localStorage.removeItem(before.current);
    keep(before.current, []);
    before.current = draft;
    typed(text);
    attach(files);
  }, [draft]);
  const send = () => {
    if (nothing || busy.value) return;
    if (!model.value) return mean(true);
    typed("");
    attach([]);
    say(text, parent, files);
  };
  // Who is faster than the list of models is answered when it is there.
  useEffect(() => {
    if (!meant || !known.value) return;
    mean(false);
    send();
  }, [meant, known.value]);
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
    if (event.key === "Escape" && busy.value) {
      event.preventDefault();
      stop();
    }
  };
  return html`
    <form
      class="composer"
      onDragOver=${(/** @type {Event} */ event) => event.preventDefault()}
      onDrop=${(/** @type {DragEvent} */ event) => {
        event.preventDefault();
        add(event.dataTransfer?.files ?? []);
      }}
      onPaste=${(/** @type {ClipboardEvent} */ event) => event.clipboardData?.files.length && add(event.clipboardData.files)}
      onSubmit=${(/** @type {Event} */ event) => {
        event.preventDefault();
        send();
      }}
    >
      <${Files} files=${files} remove=${(/** @type {number} */ place) => attach(files.filter((_, other) => other !== place))} />
      <${Attach} add=${add} />
      <textarea
        ref=${field}
        rows="1"
        aria-label=${t("chat.say")}
        placeholder=${t("chat.say")}
        value=${text}
        onInput=${(/** @type {any} */ event) => typed(event.target.value)}
        onKeyDown=${pressed}
      ></textarea>
      ${
        busy.value
          ? html`<button class="round" type="button" title=${t("chat.stop")} onClick=${stop}>
              <${Icon} name="stop" /><span class="hidden">${t("chat.stop")}</span>
            </button>`
          : html`<button class="round" disabled=${nothing} title=${t("chat.send")}>
              <${Icon} name="send" /><span class="hidden">${t("chat.send")}</span>
            </button>`
      }
    </form>
    <${Meter} last=${last} text=${text} files=${files} />
  `;
}

/** @param {{add: (chosen: Iterable<File>) => void}} props */
function Attach({ add }) {
  return html`<label class="quiet" title=${t("chat.attach")}>
    <${Icon} name="plus" />
    <input
      class="hidden"
      type="file"
      multiple
      aria-label=${t("chat.attach")}
      onChange=${(/** @type {any} */ event) => {
        add([...event.target.files]);
        event.target.value = "";
      }}
    />
  </label>`;
}
