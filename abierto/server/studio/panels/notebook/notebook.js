/** Raw text on a page: the model goes on with it from the end, without the form of a conversation. */
import { ask, events } from "../../lib/api.js";
import { effect, html, signal, useEffect, useRef } from "../../lib/html.js";
import { findModels, Pick } from "../../lib/models.js";
import { model } from "../../lib/settings.js";
import { Samplers } from "../../lib/samplers.js";
import { Answer, ofText } from "../../lib/tokens.js";
import { t } from "../../lib/words.js";
import { later } from "../../lib/later.js";

const DRAFT = "abierto.notebook";
const SAMPLING = "abierto.notebook.sampling";
const BEGINNINGS = ["begin_story", "begin_list", "begin_code"];

const text = signal(localStorage.getItem(DRAFT) ?? "");
const made = signal(/** @type {import("../../lib/tokens.js").Token[]} */ ([]));
const sampling = signal(JSON.parse(localStorage.getItem(SAMPLING) ?? '{"max_tokens":128}'));
effect(() => localStorage.setItem(SAMPLING, JSON.stringify(sampling.value)));
/** The text as it was before the model last went on with it, and from where that was; null before it did. */
const before = signal(/** @type {{whole: string, from: string} | null} */ (null));
const busy = signal(false);
const trouble = signal("");
let stopping = new AbortController();

/** @param {string} value */
function write(value) {
  text.value = value;
  localStorage.setItem(DRAFT, value);
}

/** Have the model go on from the end of a text.
 * @param {string} from @param {boolean} [probabilities] @returns {Promise<void>} */
async function go(from, probabilities = true) {
  busy.value = true;
  trouble.value = "";
  made.value = [];
  stopping = new AbortController();
  /** @type {import("../../lib/tokens.js").Token[]} */
  const came = [];
  before.value = { whole: text.value, from };
  let words = from;
  const show = () => write(words);
  const body = { model: model.value, prompt: from, stream: true, ...sampling.value };
  try {
    const reply = await ask("POST", "/v1/completions", probabilities ? { ...body, logprobs: 5 } : body, stopping.signal);
    for await (const piece of events(reply)) {
      if (piece.error) throw new Error(piece.error.message);
      for (const one of (piece.choices ?? []).flatMap(ofText)) {
        came.push(one);
        words += one.text;
      }
      later(show);
    }
  } catch (problem) {
    const told = /** @type {any} */ (problem);
    if (probabilities && told.status === 400) return go(from, false); // some engines know no probabilities
    if (!stopping.signal.aborted) trouble.value = told.message;
  }
  show();
  made.value = came; // drawn once, at the end: thousands of them at each step would hold the page up
  busy.value = false;
}

/** Go back to the text as it was. */
function undo() {
  if (!before.value) return;
  write(before.value.whole);
  made.value = [];
  before.value = null;
}

export function Notebook() {
  const paper = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  useEffect(() => {
    findModels().catch((problem) => (trouble.value = problem.message));
  }, []);
  const ready = Boolean(text.value && model.value);
  const here = () => text.value.slice(0, paper.current?.selectionEnd ?? text.value.length);
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape" && busy.value) stopping.abort();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && ready && !busy.value) go(here());
    else return;
    event.preventDefault();
  };
  return html`
    <section class="page" aria-label=${t("panel.notebook")}>
      <h1>${t("panel.notebook")}</h1>
      <p class="hint">${t("notebook.what")}</p>
      <textarea
        class="paper"
        ref=${paper}
        aria-label=${t("notebook.paper")}
        readonly=${busy.value}
        value=${text.value}
        onInput=${(/** @type {any} */ event) => write(event.target.value)}
        onKeyDown=${pressed}
      ></textarea>
      ${
        !text.value &&
        html`<div class="line">
          <span class="hint">${t("notebook.begin")}</span>
          ${BEGINNINGS.map(
            (name) => html`<button class="quiet framed" onClick=${() => write(t(`notebook.${name}`))}>${t(`notebook.${name}`)}</button>`,
          )}
        </div>`
      }
      <p class="line">
        <${Pick} label=${t("chat.model")} value=${model.value} pick=${(/** @type {string} */ name) => (model.value = name)} />
        ${
          busy.value
            ? html`<button class="button" onClick=${() => stopping.abort()}>${t("chat.stop")}</button>`
            : html`<button class="button" disabled=${!ready} onClick=${() => go(text.value)}>${t("notebook.go_on")}</button>
                <button class="quiet framed" disabled=${!ready} title=${t("notebook.from_here_why")} onClick=${() => go(here())}>
                  ${t("notebook.from_here")}
                </button>
                <button class="quiet framed" disabled=${!before.value} onClick=${() => before.value && go(before.value.from)}>
                  ${t("notebook.again")}
                </button>
                <button class="quiet framed" disabled=${!before.value} onClick=${undo}>${t("notebook.undo")}</button>`
        }
      </p>
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      <${Samplers} values=${sampling.value} off=${busy.value} set=${(/** @type {any} */ values) => (sampling.value = values)} />
      ${
        made.value.some((one) => one.logprob !== undefined) &&
        html`<h2>${t("notebook.probabilities")}</h2>
          <p class="hint">${t("notebook.shades")}</p>
          <${Answer} tokens=${made.value} label=${t("notebook.probabilities")} />`
      }
    </section>
  `;
}
