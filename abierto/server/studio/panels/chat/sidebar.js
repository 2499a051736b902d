/** The kept conversations, beside every panel. */
import { html, useEffect, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { t } from "../../lib/words.js";
import { bring } from "./export.js";
import { forget, list, refresh, rename, search, told, trouble } from "./store.js";

/** @param {{current: string}} props */
export function Conversations({ current }) {
  useEffect(() => {
    const late = setTimeout(() => refresh().catch(() => {}), 150);
    return () => clearTimeout(late);
  }, [search.value]);
  return html`
    <section class="talks" aria-label=${t("chat.conversations")}>
      <a class="button wide" href="#chat"><${Icon} name="plus" />${t("chat.new")}</a>
      <input
        type="search"
        aria-label=${t("chat.search")}
        placeholder=${t("chat.search")}
        value=${search.value}
        onInput=${(/** @type {any} */ event) => (search.value = event.target.value)}
      />
      <ul>
        ${list.value.map((one) => html`<${Line} key=${one.id} talk=${one} current=${String(one.id) === current} />`)}
      </ul>
      <label class="quiet bring">
        <${Icon} name="save" />${t("chat.bring")}
        <input
          class="hidden"
          type="file"
          accept=".json,application/json"
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

/** @param {{talk: any, current: boolean}} props */
function Line({ talk, current }) {
  const [editing, edit] = useState(false);
  const title = talk.title || t("chat.untitled");
  const keep = (/** @type {any} */ event) => {
    edit(false);
    if (event.target.value.trim()) rename(talk.id, event.target.value.trim());
  };
  if (editing) {
    return html`<li>
      <input
        aria-label=${t("chat.rename")}
        value=${title}
        ref=${(/** @type {HTMLInputElement | null} */ field) => field?.focus()}
        onBlur=${keep}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
          if (event.key === "Enter") keep(event);
          if (event.key === "Escape") edit(false);
        }}
      />
    </li>`;
  }
  return html`<li>
    <a href=${`#chat/${talk.id}`} aria-current=${current ? "page" : undefined} title=${title}>${title}</a>
    <button class="quiet" title=${t("chat.rename")} onClick=${() => edit(true)}>
      <${Icon} name="edit" /><span class="hidden">${t("chat.rename_named", { title })}</span>
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
