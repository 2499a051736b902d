/** One message: what was said, and what can be done with it. */
import { draw } from "../../lib/formulas.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { Blocks, colour } from "../../lib/markdown.js";
import { number, t } from "../../lib/words.js";
import { Files } from "./files.js";
import { answer, busy, reword, say, walk } from "./store.js";
import { open, siblings } from "./talk.js";

/** Where the wording that somebody tries for a message is kept until it is sent.
 * @param {string} id */
const draft = (id) => `abierto.edit.${id}`;

/** @param {{message: any, live: {text: string, thought: string, note?: string} | null}} props */
export function Message({ message, live }) {
  const [editing, edit] = useState(localStorage.getItem(draft(message.id)) !== null);
  const own = message.role === "user";
  const text = live ? live.text : message.content;
  const thought = live ? live.thought : message.thought;
  return html`
    <li class=${own ? "said own" : "said"}>
      <article tabindex="-1" aria-label=${t(own ? "chat.you" : "chat.model_said", { model: message.model ?? "" })}>
        ${thought && html`<${Thought} text=${thought} open=${Boolean(live && !live.text)} />`}
        <${Files} files=${message.files} />
        ${message.sent && html`<${Sent} sent=${message.sent} />`}
        ${editing
          ? html`<${Editor} message=${message} done=${() => edit(false)} />`
          : own
            ? html`<p class="words">${text}</p>`
            : html`<${Written} text=${text} ended=${!live} />`}
        ${live && !text && !thought && html`<p class="waiting"><span></span><span></span><span></span></p>
          ${live.note && html`<p class="hint" role="status">${live.note}</p>`}`}
        ${message.error && html`<p class="trouble" role="alert">${message.error}</p>`}
        ${message.cut &&
        html`<p class="hint">
          ${t("chat.cut")}
          ${open.value.leaf === message.id &&
          !live &&
          html`<button class="quiet framed" onClick=${() => say(t("chat.go_on_words"), message.id)}>${t("chat.go_on")}</button>`}
        </p>`}
        ${!editing && !live && html`<${Deeds} message=${message} own=${own} edit=${() => edit(true)} />`}
      </article>
    </li>
  `;
}

/** @param {{text: string, ended: boolean}} props */
function Written({ text, ended }) {
  const blocks = useRef(new Blocks()).current;
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const shown = useRef(0);
  const source = useRef("");
  // Closed blocks are put into the page once, and Preact does not look at them again.
  useLayoutEffect(() => {
    const place = /** @type {HTMLElement} */ (box.current);
    blocks.take(text, ended);
    if (blocks.closed.length < shown.current || !text.startsWith(source.current.slice(0, blocks.done))) {
      place.replaceChildren();
      shown.current = 0;
    }
    source.current = text;
    let tail = place.querySelector(":scope > .tail");
    if (!tail) {
      tail = document.createElement("div");
      tail.className = "tail";
      place.append(tail);
    }
    for (const made of blocks.closed.slice(shown.current)) {
      const block = document.createElement("div");
      block.innerHTML = made;
      tail.before(block);
      frames(block);
      draw(block);
    }
    shown.current = blocks.closed.length;
    tail.innerHTML = blocks.open;
  }, [text, ended]);
  useEffect(() => {
    if (ended && box.current) colour(box.current);
  }, [ended, text]);
  return html`<div class="words" ref=${box} onClick=${copied}></div>`;
}

/** Give code a button to copy it, and tables room of their own to scroll in.
 * @param {Element} block */
function frames(block) {
  for (const code of block.querySelectorAll("pre")) {
    const button = document.createElement("button");
    button.className = "quiet copy";
    button.type = "button";
    button.textContent = t("chat.copy");
    code.tabIndex = 0;
    code.append(button);
  }
  for (const table of block.querySelectorAll("table")) {
    const room = document.createElement("div");
    room.className = "room";
    room.tabIndex = 0;
    table.replaceWith(room);
    room.append(table);
  }
}

/** @param {any} event */
function copied(event) {
  const button = event.target.closest?.(".copy");
  if (!button) return;
  navigator.clipboard.writeText(button.parentElement.querySelector("code")?.textContent ?? "");
  button.textContent = t("chat.copied");
  setTimeout(() => (button.textContent = t("chat.copy")), 1500);
}

/** @param {{text: string, open: boolean}} props */
function Thought({ text, open: unfolded }) {
  return html`<details class="thought" open=${unfolded}>
    <summary>${t("chat.thought")}</summary>
    <p>${text}</p>
  </details>`;
}

/** Which passages of long texts the model was sent.
 * @param {{sent: import("./request.js").Sent}} props */
function Sent({ sent }) {
  const { passages, of, by } = sent;
  return html`<details class="sent">
    <summary>${t("chat.sent", { sent: number(passages.length), of: number(of), model: by })}</summary>
    <ol>
      ${passages.map((one) => html`<li><strong>${one.name}, ${number(one.number)}</strong><p>${one.text}</p></li>`)}
    </ol>
  </details>`;
}

/** What is typed is there again after a reload. An answer that was reworded becomes another branch, and is not asked for.
 * @param {{message: any, done: () => void}} props */
function Editor({ message, done }) {
  const [text, write] = useState(localStorage.getItem(draft(message.id)) ?? message.content);
  const own = message.role === "user";
  const leave = () => {
    localStorage.removeItem(draft(message.id));
    done();
  };
  const send = () => {
    leave();
    if (!text.trim()) return;
    if (own) say(text, message.parent, message.files);
    else reword(text, message);
  };
  return html`<div class="editor">
    <textarea
      aria-label=${t(own ? "chat.edit" : "chat.edit_answer")}
      rows=${Math.min(12, text.split("\n").length + 1)}
      value=${text}
      ref=${(/** @type {HTMLElement | null} */ field) => field && document.activeElement !== field && field.focus()}
      onInput=${(/** @type {any} */ event) => {
        write(event.target.value);
        localStorage.setItem(draft(message.id), event.target.value);
      }}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => {
        if (event.key === "Escape") leave();
        if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send();
      }}
    ></textarea>
    <div>
      <button class="button" onClick=${send}>${t(own ? "chat.send" : "chat.keep_words")}</button>
      <button class="quiet" onClick=${leave}>${t("cancel")}</button>
    </div>
  </div>`;
}

/** @param {{message: any, own: boolean, edit: () => void}} props */
function Deeds({ message, own, edit }) {
  const others = siblings(message);
  const place = others.findIndex((one) => one.id === message.id);
  const off = busy.value;
  return html`<footer class="deeds">
    ${others.length > 1 &&
    html`<span class="branches">
      <${Deed} name="left" words="chat.branch_before" letter="[" off=${off || place === 0} act=${() => walk(others[place - 1])} />
      <span>${place + 1}/${others.length}</span>
      <${Deed} name="right" words="chat.branch_after" letter="]" off=${off || place === others.length - 1} act=${() => walk(others[place + 1])} />
    </span>`}
    <${Deed} name="copy" words="chat.copy" letter="c" act=${() => navigator.clipboard.writeText(message.content)} />
    <${Deed} name="edit" words=${own ? "chat.edit" : "chat.edit_answer"} letter="e" off=${off} act=${edit} />
    ${!own && html`<${Deed} name="retry" words="chat.retry" letter="r" off=${off} act=${() => answer(message.parent)} />`}
    ${!own && message.speed && html`<span class="hint">${message.model} · ${t("chat.speed", { speed: number(message.speed, 1) })}</span>`}
  </footer>`;
}

/** @param {{name: string, words: string, letter: string, act: () => void, off?: boolean}} props */
function Deed({ name, words, letter, act, off = false }) {
  return html`<button
    class="quiet"
    title=${t(words)}
    data-key=${letter}
    aria-keyshortcuts=${letter}
    disabled=${off}
    onClick=${act}
  >
    <${Icon} name=${name} /><span class="hidden">${t(words)}</span>
  </button>`;
}
