/** One prompt to up to four models side by side, or to one with other settings. */
import { ask, events, Refused } from "../../lib/api.js";
import { computed, effect, html, signal, useEffect } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { later } from "../../lib/later.js";
import { findModels, models, Pick } from "../../lib/models.js";
import { Samplers, worded } from "../../lib/samplers.js";
import { Answer, ofChat } from "../../lib/tokens.js";
import { number, t } from "../../lib/words.js";

/** @typedef {{model: string, system: string, sampling: import("../../lib/samplers.js").Values,
 *   tokens: import("../../lib/tokens.js").Token[], note: string, error: string,
 *   busy: boolean}} Column */
const MOST = 4;
const DRAFT = "abierto.compare";
const IDEAS = ["idea_explain", "idea_letter", "idea_story"];
const kept = JSON.parse(localStorage.getItem(DRAFT) ?? "{}");
const columns = signal(/** @type {Column[]} */ ((kept.columns ?? []).map(blank)));
const prompt = signal(kept.prompt ?? "");
const draft = computed(() => {
  const settings = columns.value.map(({ model, system, sampling }) => ({ model, system, sampling }));
  return JSON.stringify({ prompt: prompt.value, columns: settings });
});
effect(() => localStorage.setItem(DRAFT, draft.value)); // not at each token: only when it has changed
let stopping = new AbortController();

/** @param {number} index @param {Partial<Column>} facts */
function set(index, facts) {
  columns.value = columns.value.map((one, place) => (place === index ? { ...one, ...facts } : one));
}

/** @param {{model: string, system: string, sampling: import("../../lib/samplers.js").Values}} settings @returns {Column} */
function blank({ model, system, sampling }) {
  return { model, system, sampling, tokens: [], note: "", error: "", busy: false };
}

/** A column with the model and the settings of the last one, so that one of them can be changed. */
function add() {
  const last = columns.value[columns.value.length - 1];
  const first = { model: models.value[0]?.name ?? "", system: "", sampling: { temperature: 0.7, max_tokens: 1024 } };
  columns.value = [...columns.value, blank(last ?? first)];
}

export function Compare() {
  useEffect(() => {
    findModels()
      .catch(() => {})
      .then(() => {
        while (columns.value.length < 2) add();
      });
  }, []);
  const busy = columns.value.some((one) => one.busy);
  const run = () => {
    if (!prompt.value.trim() || busy) return;
    stopping = new AbortController();
    columns.value.forEach((_, index) => answer(index));
  };
  return html`
    <section class="page" aria-label=${t("panel.compare")}>
      <h1>${t("panel.compare")}</h1>
      <p class="hint">${t("compare.what")}</p>
      <label class="field"
        >${t("compare.prompt")}
        <textarea rows="3" value=${prompt.value} onInput=${(/** @type {any} */ event) => (prompt.value = event.target.value)}></textarea>
      </label>
      ${
        !prompt.value &&
        html`<div class="line">
          ${IDEAS.map((name) => html`<button class="quiet framed" onClick=${() => (prompt.value = t(`chat.${name}`))}>${t(`chat.${name}`)}</button>`)}
        </div>`
      }
      <p class="line">
        ${
          busy
            ? html`<button class="button" onClick=${() => stopping.abort()}>${t("chat.stop")}</button>`
            : html`<button class="button" disabled=${!prompt.value.trim()} onClick=${run}>${t("compare.run")}</button>`
        }
        <button class="quiet" disabled=${busy || columns.value.length >= MOST} onClick=${add}>
          <${Icon} name="plus" />${t("compare.add")}
        </button>
      </p>
      <div class="columns">${columns.value.map((one, index) => html`<${Side} one=${one} index=${index} off=${busy} />`)}</div>
    </section>
  `;
}

/** @param {{one: Column, index: number, off: boolean}} props */
function Side({ one, index, off }) {
  const place = t("compare.column", { number: index + 1 });
  return html`<article class="column" aria-label=${place}>
    <div class="knobs">
      <${Pick}
        label=${`${t("chat.model")}, ${place}`}
        value=${one.model}
        off=${off}
        pick=${(/** @type {string} */ model) => set(index, { model })}
      />
      ${
        columns.value.length > 1 &&
        html`<button
          class="quiet"
          disabled=${off}
          title=${t("compare.remove")}
          onClick=${() => (columns.value = columns.value.filter((_, other) => other !== index))}
        >
          <${Icon} name="close" /><span class="hidden">${t("compare.remove")}</span>
        </button>`
      }
    </div>
    <details>
      <summary>${[t("compare.settings"), ...told(one)].join(" · ")}</summary>
      <${Samplers} values=${one.sampling} off=${off} set=${(/** @type {any} */ sampling) => set(index, { sampling })} />
      <label class="field"
        >${t("compare.system")}
        <textarea
          rows="2"
          disabled=${off}
          value=${one.system}
          onChange=${(/** @type {any} */ { target }) => set(index, { system: target.value })}
        ></textarea>
      </label>
    </details>
    <${Answer} tokens=${one.tokens} label=${t("compare.answer", { number: index + 1 })} scrolled=${together} />
    ${one.error && html`<p class="trouble" role="alert">${one.error}</p>`}
    <p class="hint">${one.note}</p>
  </article>`;
}

/** All columns are scrolled by the same share.
 * @param {any} event */
function together(event) {
  const moved = event.target;
  if (!moved.matches(":hover, :focus")) return;
  const share = moved.scrollTop / Math.max(moved.scrollHeight - moved.clientHeight, 1);
  for (const other of document.querySelectorAll(".answer")) {
    if (other !== moved) other.scrollTop = share * (other.scrollHeight - other.clientHeight);
  }
}

/** @param {number} index @param {boolean} [probabilities] @returns {Promise<void>} */
async function answer(index, probabilities = true) {
  const { model, system, sampling } = columns.value[index];
  set(index, { tokens: [], note: "", error: "", busy: true });
  const asked = { role: "user", content: prompt.value };
  const messages = system ? [{ role: "system", content: system }, asked] : [asked];
  const body = { model, messages, ...sampling, stream: true, stream_options: { include_usage: true } };
  const began = performance.now();
  /** @type {import("../../lib/tokens.js").Token[]} */
  const came = [];
  const show = () => set(index, { tokens: [...came] });
  try {
    const more = probabilities ? { logprobs: true, top_logprobs: 5 } : {};
    const reply = await ask("POST", "/v1/chat/completions", { ...body, ...more }, stopping.signal);
    for await (const piece of events(reply)) {
      if (piece.error) throw new Refused(piece.error.message, 0);
      const fresh = (piece.choices ?? []).flatMap(ofChat);
      came.push(...fresh);
      later(show);
      if (piece.usage) set(index, { note: taken(piece.usage.completion_tokens, performance.now() - began) });
    }
    show();
    set(index, { busy: false });
  } catch (problem) {
    // Some engines know no probabilities: then without.
    if (probabilities && problem instanceof Refused && problem.status === 400) return answer(index, false);
    const stopped = stopping.signal.aborted;
    set(index, { busy: false, error: stopped ? "" : /** @type {Error} */ (problem).message });
  }
}

/** What is set in a column, in short.
 * @param {Column} column */
function told({ system, sampling }) {
  const set = Object.entries(sampling).map(([name, value]) => `${t(`sampler.${name}`)} ${worded(value)}`);
  return system ? [...set, t("compare.system")] : set;
}

/** @param {number} tokens @param {number} milliseconds */
function taken(tokens, milliseconds) {
  return `${t("chat.tokens", { used: number(tokens) })} · ${number(milliseconds / 1000, 1)} s`;
}
