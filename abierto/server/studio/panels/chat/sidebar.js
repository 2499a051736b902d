/** The kept conversations, beside every panel. */
import { html, useEffect, useRef, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { t } from "../../lib/words.js";
import { bring } from "./bring.js";
import { forget, list, move, refresh, rename, search, settle } from "./archive.js";
import { open, told, trouble } from "./talk.js";

/** @param {{current: string}} props */
export function Conversations({ current: asked }) {
  // One that has just begun gets its number, and its address, while it is open.
  const current = location.hash.startsWith("#chat") ? String(open.value.id || asked) : "";
  useEffect(() => {
    settle().catch(() => {}); // it stays in the browser until the next time
  }, []);
  useEffect(() => {
    const late = setTimeout(() => refresh().catch(() => {}), 150);
    return () => clearTimeout(late);
  }, [search.value]);
  return html`
    <section class="talks" aria-label=${t("chat.conversations")}>
      <a class="button wide" href="#chat" data-key="n" aria-keyshortcuts="n"><${Icon} name="plus" />${t("chat.new")}</a>
      <input
        type="search"
        data-key="/"
        aria-keyshortcuts="/"
        aria-label=${t("chat.search")}
        placeholder=${t("chat.search")}
        value=${search.value}
        onInput=${(/** @type {any} */ event) => (search.value = event.target.value)}
      />
      <ul>
        ${inside("").map((one) => html`<${Line} key=${one.id} talk=${one} current=${String(one.id) === current} />`)}
      </ul>
      ${folders().map(
        (name) => html`<details class="folder" key=${name} open=${Boolean(search.value) || inside(name).some((one) => String(one.id) === current)}>
          <summary>${name}</summary>
          <ul>
            ${inside(name).map((one) => html`<${Line} key=${one.id} talk=${one} current=${String(one.id) === current} />`)}
          </ul>
        </details>`,
      )}
      <label class="quiet bring">
        <${Icon} name="save" />${t("chat.bring")}
        <input
          class="hidden"
          type="file"
          accept=".json,.html,.md,application/json,text/html,text/markdown"
          onChange=${async (/** @type {any} */ event) => {
            const [file] = event.target.files;
            event.target.value = "";
            try {
              if (file) location.hash = `#chat/${await bring(file)}`;
            } catch (problem) {
              trouble.value = told(problem);
            }
          }}
        />
      </label>
      ${!list.value.length && html`<p class="hint">${t(search.value ? "chat.none_found" : "chat.none_yet")}</p>`}
    </section>
  `;
}

/** @param {string} folder "" for what lies in none */
function inside(folder) {
  return list.value.filter((one) => (one.folder ?? "") === folder);
}

/** The names of the folders that hold something. */
function folders() {
  return [...new Set(list.value.map((one) => one.folder).filter(Boolean))].sort((one, other) => one.localeCompare(other));
}

/** @param {{talk: any, current: boolean}} props */
function Line({ talk, current }) {
  const [editing, edit] = useState("");
  const title = talk.title || t("chat.untitled");
  if (editing === "title") {
    const keep = (/** @type {string} */ written) => written && rename(talk.id, written);
    return html`<${Field} words=${t("chat.rename")} before=${title} keep=${keep} done=${() => edit("")} />`;
  }
  if (editing === "folder") {
    const keep = (/** @type {string} */ written) => move(talk.id, written);
    const words = t("chat.folder_question", { title });
    return html`<${Field} words=${words} before=${talk.folder ?? ""} keep=${keep} done=${() => edit("")} names=${folders()} />`;
  }
  return html`<li>
    <a href=${`#chat/${talk.id}`} aria-current=${current ? "page" : undefined} title=${title}>${title}</a>
    <button class="quiet" title=${t("chat.rename")} onClick=${() => edit("title")}>
      <${Icon} name="edit" /><span class="hidden">${t("chat.rename_named", { title })}</span>
    </button>
    <button class="quiet" title=${t("chat.folder")} onClick=${() => edit("folder")}>
      <${Icon} name="folder" /><span class="hidden">${t("chat.folder_named", { title })}</span>
    </button>
    <button
      class="quiet"
      title=${t("chat.delete")}
      onClick=${() => confirm(t("chat.delete_question", { title })) && forget(talk.id)}
    >
      <${Icon} name="bin" /><span class="hidden">${t("chat.delete_named", { title })}</span>
    </button>
  </li>`;
}

/** A name in the place of a line; Enter and leaving keep it, Escape does not.
 * @param {{words: string, before: string, keep: (written: string) => unknown, done: () => void, names?: string[]}} props */
function Field({ words, before, keep, done, names = [] }) {
  const [text, write] = useState(before);
  const field = useRef(/** @type {HTMLInputElement | null} */ (null));
  const left = useRef(false);
  useEffect(() => field.current?.focus(), []);
  const leave = (/** @type {boolean} */ kept) => {
    if (left.current) return;
    left.current = true;
    done();
    if (kept && text.trim() !== before) keep(text.trim());
  };
  return html`<li>
    <input
      aria-label=${words}
      placeholder=${words}
      list=${names.length ? "folders" : undefined}
      value=${text}
      ref=${field}
      onInput=${(/** @type {any} */ event) => write(event.target.value)}
      onBlur=${() => leave(true)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Enter") leave(true);
        if (event.key === "Escape") leave(false);
      }}
    />
    <datalist id="folders">${names.map((name) => html`<option value=${name} />`)}</datalist>
  </li>`;
}
