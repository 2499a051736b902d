/** One prompt to up to four models side by side, or to one with other settings. */
import { ask, events, Refused } from "../../lib/api.js";
import { html, signal, useEffect } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { later } from "../../lib/later.js";
import { ofChat, Tokens } from "../../lib/tokens.js";
import { number, t } from "../../lib/words.js";
import { findModels, models } from "../chat/chat.js";

/** @typedef {{model: string, temperature: number, tokens: import("../../lib/tokens.js").Token[], note: string, error: string,
 *   busy: boolean}} Column */
const MOST = 4;
const columns = signal(/** @type {Column[]} */ ([]));
const prompt = signal("");
let stopping = new AbortController();

/** @param {number} index @param {Partial<Column>} facts */
function set(index, facts) {
  columns.value = columns.value.map((one, place) => (place === index ? { ...one, ...facts } : one));
}

function add() {
  const last = columns.value[columns.value.length - 1];
  const model = last?.model ?? models.value[0]?.name ?? "";
  columns.value = [...columns.value, { model, temperature: 0.7, tokens: [], note: "", error: "", busy: false }];
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
      <p class="line">
        ${busy
          ? html`<button class="button" onClick=${() => stopping.abort()}>${t("chat.stop")}</button>`
          : html`<button class="button" disabled=${!prompt.value.trim()} onClick=${run}>${t("compare.run")}</button>`}
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
      <select
        aria-label=${`${t("chat.model")}, ${place}`}
        disabled=${off}
        onChange=${(/** @type {any} */ event) => set(index, { model: event.target.value })}
      >
        ${models.value.map(({ name }) => html`<option value=${name} selected=${name === one.model}>${name}</option>`)}
      </select>
      <label
        >${t("compare.temperature")}
        <input
          type="number"
          min="0"
          max="2"
          step="0.1"
          value=${one.temperature}
          onChange=${(/** @type {any} */ event) => set(index, { temperature: Number(event.target.value) })}
        />
      </label>
      ${columns.value.length > 1 &&
      html`<button
        class="quiet"
        disabled=${off}
        title=${t("compare.remove")}
        onClick=${() => (columns.value = columns.value.filter((_, other) => other !== index))}
      >
        <${Icon} name="close" /><span class="hidden">${t("compare.remove")}</span>
      </button>`}
    </div>
    <div class="answer" tabindex="0" role="region" aria-label=${t("compare.answer", { number: index + 1 })} onScroll=${together}>
      <${Tokens} tokens=${one.tokens} />
    </div>
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
  const { model, temperature } = columns.value[index];
  set(index, { tokens: [], note: "", error: "", busy: true });
  const messages = [{ role: "user", content: prompt.value }];
  const body = { model, messages, temperature, stream: true, max_tokens: 1024, stream_options: { include_usage: true } };
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
      if (piece.usage) set(index, { note: told(piece.usage.completion_tokens, performance.now() - began) });
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

/** @param {number} tokens @param {number} milliseconds */
function told(tokens, milliseconds) {
  return `${t("chat.tokens", { used: number(tokens) })} · ${number(milliseconds / 1000, 1)} s`;
}
