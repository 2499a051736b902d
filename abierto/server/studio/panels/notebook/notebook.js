/** Raw text on a page: the model goes on with it from the end, without the form of a conversation. */
import { ask, events } from "../../lib/api.js";
import { html, signal, useEffect } from "../../lib/html.js";
import { model } from "../../lib/settings.js";
import { ofText, Tokens } from "../../lib/tokens.js";
import { t } from "../../lib/words.js";
import { later } from "../../lib/later.js";
import { findModels, models } from "../chat/chat.js";

const DRAFT = "abierto.notebook";
const SAMPLERS = {
  max_tokens: { usual: 128, least: 1, most: 8192, step: 1 },
  temperature: { usual: 0.8, least: 0, most: 2, step: 0.05 },
  top_p: { usual: 0.95, least: 0, most: 1, step: 0.01 },
  top_k: { usual: 40, least: 0, most: 1000, step: 1 },
  min_p: { usual: 0.05, least: 0, most: 1, step: 0.01 },
  repeat_penalty: { usual: 1, least: 0.5, most: 2, step: 0.05 },
  seed: { usual: 0, least: 0, most: 4294967295, step: 1 },
};

const text = signal(localStorage.getItem(DRAFT) ?? "");
const made = signal(/** @type {import("../../lib/tokens.js").Token[]} */ ([]));
const chosen = signal(Object.fromEntries(Object.entries(SAMPLERS).map(([name, { usual }]) => [name, usual])));
const busy = signal(false);
const trouble = signal("");
let stopping = new AbortController();

/** @param {string} value */
function write(value) {
  text.value = value;
  localStorage.setItem(DRAFT, value);
}

/** @param {boolean} [probabilities] @returns {Promise<void>} */
async function go(probabilities = true) {
  busy.value = true;
  trouble.value = "";
  made.value = [];
  stopping = new AbortController();
  /** @type {import("../../lib/tokens.js").Token[]} */
  const came = [];
  let words = text.value;
  const show = () => write(words);
  const { seed, ...sampling } = chosen.value;
  const body = { model: model.value, prompt: text.value, stream: true, ...sampling, ...(seed ? { seed } : {}) };
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
    if (probabilities && told.status === 400) return go(false); // some engines know no probabilities
    if (!stopping.signal.aborted) trouble.value = told.message;
  }
  show();
  made.value = came; // drawn once, at the end: thousands of them at each step would hold the page up
  busy.value = false;
}

export function Notebook() {
  useEffect(() => {
    findModels().catch((problem) => (trouble.value = problem.message));
  }, []);
  return html`
    <section class="page" aria-label=${t("panel.notebook")}>
      <h1>${t("panel.notebook")}</h1>
      <p class="hint">${t("notebook.what")}</p>
      <textarea
        class="paper"
        aria-label=${t("notebook.paper")}
        readonly=${busy.value}
        value=${text.value}
        onInput=${(/** @type {any} */ event) => write(event.target.value)}
        onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Escape" && stopping.abort()}
      ></textarea>
      <p class="line">
        <select aria-label=${t("chat.model")} onChange=${(/** @type {any} */ event) => (model.value = event.target.value)}>
          ${models.value.map(({ name }) => html`<option value=${name} selected=${name === model.value}>${name}</option>`)}
        </select>
        ${busy.value
          ? html`<button class="button" onClick=${() => stopping.abort()}>${t("chat.stop")}</button>`
          : html`<button class="button" disabled=${!text.value || !model.value} onClick=${() => go()}>${t("notebook.go_on")}</button>`}
      </p>
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      <div class="line">
        ${Object.entries(SAMPLERS).map(
          ([name, { least, most, step }]) => html`<label class="field"
            >${t(`notebook.${name}`)}
            <input
              type="number"
              min=${least}
              max=${most}
              step=${step}
              value=${chosen.value[name]}
              onChange=${(/** @type {any} */ event) => (chosen.value = { ...chosen.value, [name]: Number(event.target.value) })}
            />
          </label>`,
        )}
      </div>
      ${made.value.some((one) => one.logprob !== undefined) &&
      html`<h2>${t("notebook.probabilities")}</h2>
        <p class="hint">${t("notebook.shades")}</p>
        <div class="answer" tabindex="0" role="region" aria-label=${t("notebook.probabilities")}><${Tokens} tokens=${made.value} /></div>`}
    </section>
  `;
}
