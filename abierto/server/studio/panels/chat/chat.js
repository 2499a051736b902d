/** The conversation: what was said, and the field to say more. */
import { get } from "../../lib/api.js";
import { away } from "../../lib/away.js";
import { html, signal, useEffect, useLayoutEffect, useRef, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { model } from "../../lib/settings.js";
import { number, t } from "../../lib/words.js";
import { Files, read } from "./files.js";
import { KINDS, download } from "./export.js";
import { Message } from "./message.js";
import { Sliders } from "./sliders.js";
import { busy, heard, live, load, open, path, say, stop, trouble } from "./store.js";
import { Welcome } from "./welcome.js";

/** Models that answer, and those that are loaded with their context. */
export const models = signal(/** @type {any[]} */ ([]));
const context = signal(0);
const STEP = 20; // messages that are made at once

export async function findModels() {
  const found = (await get("/abierto/v1/models")).models.filter((/** @type {any} */ one) => one.task === "chat");
  models.value = found;
  if (!found.some((/** @type {any} */ one) => one.name === model.value)) {
    model.value = (found.find((/** @type {any} */ one) => one.format !== "none") ?? found[0])?.name ?? "";
  }
}

/** @param {{rest: string[]}} props */
export function Chat({ rest }) {
  const id = Number(rest[0] ?? 0) || 0;
  const [sliders, slide] = useState(false);
  useEffect(() => {
    trouble.value = "";
    load(id).catch((problem) => (trouble.value = problem.message));
  }, [id]);
  useEffect(() => {
    findModels().catch((problem) => (trouble.value = problem.message));
  }, []);
  const talk = open.value;
  const messages = path(talk);
  const last = messages[messages.length - 1];
  return html`
    <section class="chat" aria-label=${t("panel.chat")}>
      <header class="head">
        <select
          class="pick"
          aria-label=${t("chat.model")}
          value=${model.value}
          onChange=${(/** @type {any} */ event) => (model.value = event.target.value)}
        >
          ${models.value.map((one) => html`<option value=${one.name}>${one.name}</option>`)}
        </select>
        <h1>${talk.title || t("chat.new")}</h1>
        <select
          class="pick save"
          aria-label=${t("chat.export")}
          disabled=${!messages.length}
          value=""
          onChange=${(/** @type {any} */ event) => {
            download(talk, event.target.value);
            event.target.value = "";
          }}
        >
          <option value="" hidden>${t("chat.export")}</option>
          ${Object.keys(KINDS).map((kind) => html`<option value=${kind}>${t(`chat.export_${kind}`)}</option>`)}
        </select>
        <button class="quiet" aria-expanded=${sliders} title=${t("chat.settings")} onClick=${() => slide(!sliders)}>
          <${Icon} name="sliders" /><span class="hidden">${t("chat.settings")}</span>
        </button>
      </header>
      ${sliders && html`<${Sliders} />`}
      <${Thread} id=${talk.id} messages=${messages} />
      ${!messages.length && !away.value && html`<${Welcome} />`}
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      <${Composer} parent=${talk.leaf} last=${last} key=${talk.id || "new"} draft=${`abierto.draft.${talk.id}`} />
    </section>
  `;
}

/** The end of the conversation; what came before is made as somebody scrolls there, or prints it.
 * @param {{id: number, messages: any[]}} props id: of the conversation */
function Thread({ id, messages }) {
  const [reached, reach] = useState(Infinity);
  const first = Math.max(0, Math.min(reached, messages.length - STEP));
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const stuck = useRef(true);
  // Who reads further up is left there; who is at the end sees what comes.
  useLayoutEffect(() => {
    if (box.current && stuck.current) box.current.scrollTop = box.current.scrollHeight;
  });
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== "Home" || !first) return;
    event.preventDefault();
    stuck.current = false;
    /** @type {HTMLElement} */ (box.current).scrollTop = 0; // where it stays while the rest is put above
    reach(0);
  };
  const moved = () => {
    const place = /** @type {HTMLElement} */ (box.current);
    stuck.current = place.scrollHeight - place.scrollTop - place.clientHeight < 60;
    if (first && place.scrollTop < 2 * place.clientHeight) reach((before) => Math.min(before, first - STEP));
  };
  useEffect(() => {
    const whole = () => reach(0);
    addEventListener("beforeprint", whole);
    return () => removeEventListener("beforeprint", whole);
  }, []);
  useEffect(() => reach(Infinity), [id]);
  useEffect(moved, [first]);
  const writing = live.value;
  return html`
    <div
      class="thread"
      ref=${box}
      onScroll=${moved}
      onKeyDown=${pressed}
      tabindex="0"
      role="log"
      aria-live="off"
      aria-label=${t("chat.thread")}
    >
      <ol>
        ${messages.slice(first).map((one) => html`<${Message} key=${one.id} message=${one} live=${writing?.id === one.id ? writing : null} />`)}
      </ol>
    </div>
    <p class="hidden" aria-live="polite">${busy.value ? t("chat.writing") : heard.value}</p>
  `;
}

/** @param {{parent: string, last: any, draft: string}} props */
function Composer({ parent, last, draft }) {
  const [text, write] = useState(localStorage.getItem(draft) ?? "");
  const field = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const [files, attach] = useState(/** @type {import("./files.js").Attached[]} */ ([]));
  const add = (/** @type {Iterable<File>} */ chosen) => {
    trouble.value = "";
    read(chosen).then((found) => attach((before) => [...before, ...found]), (problem) => (trouble.value = problem.message));
  };
  useLayoutEffect(() => {
    const area = /** @type {HTMLTextAreaElement} */ (field.current);
    area.style.height = "auto";
    area.style.height = `${Math.min(area.scrollHeight, 240)}px`;
  }, [text]);
  useEffect(() => {
    if (matchMedia("(hover: hover)").matches) field.current?.focus();
  }, []);
  const typed = (/** @type {string} */ value) => {
    write(value);
    if (value) localStorage.setItem(draft, value);
    else localStorage.removeItem(draft);
  };
  const send = () => {
    if ((!text.trim() && !files.length) || busy.value || !model.value) return;
    typed("");
    attach([]);
    say(text, parent, files);
  };
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      send();
    }
    if (event.key === "Escape" && busy.value) stop();
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
      <label class="quiet" title=${t("chat.attach")}>
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
      </label>
      <textarea
        ref=${field}
        rows="1"
        aria-label=${t("chat.say")}
        placeholder=${t("chat.say")}
        value=${text}
        onInput=${(/** @type {any} */ event) => typed(event.target.value)}
        onKeyDown=${pressed}
      ></textarea>
      ${busy.value
        ? html`<button class="round" type="button" title=${t("chat.stop")} onClick=${stop}>
            <${Icon} name="stop" /><span class="hidden">${t("chat.stop")}</span>
          </button>`
        : html`<button class="round" disabled=${(!text.trim() && !files.length) || !model.value} title=${t("chat.send")}>
            <${Icon} name="send" /><span class="hidden">${t("chat.send")}</span>
          </button>`}
    </form>
    <p class="under">${under(last)}</p>
  `;
}

/** How much of the context is taken, and how fast the last answer was.
 * @param {any} last */
function under(last) {
  const known = models.value.find((one) => one.name === model.value);
  context.value = known?.context ?? 0;
  const used = (last?.prompt ?? 0) + (last?.tokens ?? 0);
  if (!used) return t("chat.keys");
  const told = [t("chat.tokens", { used: number(used) })];
  if (context.value) told[0] = t("chat.tokens_of", { used: number(used), context: number(context.value) });
  if (last?.speed) told.push(t("chat.speed", { speed: number(last.speed, 1) }));
  if (context.value && used > 0.8 * context.value) told.push(t("chat.nearly_full"));
  return told.join(" · ");
}
