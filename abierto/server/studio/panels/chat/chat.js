/** The conversation: what was said, and the field to say more. */
import { away } from "../../lib/away.js";
import { html, useEffect, useLayoutEffect, useRef, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { findModels, leaves, Pick } from "../../lib/models.js";
import { model } from "../../lib/settings.js";
import { t } from "../../lib/words.js";
import { Composer } from "./composer.js";
import { KINDS, download } from "./export.js";
import { Message } from "./message.js";
import { Sliders } from "./sliders.js";
import { busy, heard, live, load } from "./store.js";
import { open, path, trouble } from "./talk.js";
import { Welcome } from "./welcome.js";

const STEP = 10; // messages that are made at once

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
        <${Pick}
          kind="pick"
          label=${t("chat.model")}
          value=${model.value}
          pick=${(/** @type {string} */ name) => (model.value = name)}
        />
        ${leaves(model.value) &&
        html`<strong class="leaves" title=${t("chat.leaves_why")}>${t("chat.leaves")}</strong>`}
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
        <button
          class="quiet"
          data-key="s"
          aria-keyshortcuts="s"
          aria-expanded=${sliders}
          title=${t("chat.settings")}
          onClick=${() => slide(!sliders)}
        >
          <${Icon} name="sliders" /><span class="hidden">${t("chat.settings")}</span>
        </button>
      </header>
      ${sliders && html`<${Sliders} />`}
      <${Thread} id=${talk.id} messages=${messages} />
      ${!messages.length && !away.value && html`<${Welcome} />`}
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      <${Composer} parent=${talk.leaf} last=${last} key=${talk.key} draft=${`abierto.draft.${talk.id}`} />
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
