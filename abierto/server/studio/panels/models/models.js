/** The models: those that are here, those that could be, and what is known of one of them. */
import { get } from "../../lib/api.js";
import { html, signal, useEffect } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { number, size, t } from "../../lib/words.js";
import { Card } from "./card.js";
import { Reports } from "./reports.js";
import { findPulls, giveUp, pause, pull, pullOf } from "./pulls.js";
import { here, isHere, tried, trouble } from "./shelf.js";
import { Here } from "./tile.js";

/** What a model is for, by its `pipeline_tag`. */
const TASKS = /** @type {Record<string, string>} */ ({
  "text-generation": "task.chat",
  "image-text-to-text": "task.see",
  "feature-extraction": "task.embed",
  "sentence-similarity": "task.embed",
  "text-ranking": "task.rerank",
  "automatic-speech-recognition": "task.listen",
  "text-to-speech": "task.speak",
  "text-to-image": "task.draw",
  "image-to-image": "task.draw",
  "text-to-video": "task.film",
});

const cards = signal(/** @type {any[]} */ ([]));
const wanted = signal({ words: "", task: "", language: "", license: "", fits: false, order: "" });
/** What is recommended for the task that is wanted, by name, in its order. */
const ranks = signal(/** @type {Record<string, any>} */ ({}));
/** The models whose reports are to stand side by side. */
export const marked = signal(/** @type {string[]} */ ([]));
const MOST = 4;

/** @param {{rest: string[]}} props */
export function Models({ rest }) {
  useEffect(() => {
    findPulls().catch(() => {});
    tried(get("/abierto/v1/catalogue").then((found) => (cards.value = found.cards)));
  }, []);
  const { task, language, order } = wanted.value;
  useEffect(() => {
    if (!order) return;
    const query = `task=${(task || "task.chat").replace("task.", "")}&language=${language}&all=yes`;
    tried(get(`/abierto/v1/recommend?${query}`).then((found) => {
      ranks.value = Object.fromEntries(found.models.map((/** @type {any} */ one, /** @type {number} */ place) => [one.name, { ...one, place }]));
    }));
  }, [task, language, order]);
  if (rest[0] === "compare") return html`<${Reports} names=${rest.slice(1).map(decodeURIComponent)} />`;
  const name = rest.map(decodeURIComponent).join("/");
  const card = cards.value.find((one) => one.name === name);
  if (name) return html`<${Card} name=${name} card=${card} task=${TASKS[card?.task] ?? ""} />`;
  const place = (/** @type {any} */ one) => ranks.value[one.name]?.place ?? Infinity;
  const all = cards.value.filter(fits);
  const found = order ? all.filter((one) => one.name in ranks.value).sort((a, b) => place(a) - place(b)) : all;
  return html`
    <section class="page" aria-label=${t("panel.models")}>
      <h1>${t("panel.models")}</h1>
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      <h2>${t("models.here")}</h2>
      ${here.value.length
        ? html`<ul class="cards">
            ${here.value.map((one) => html`<${Here} key=${one.name} one=${one} />`)}
          </ul>`
        : html`<p class="hint">${t("models.none_here")}</p>`}
      <h2>${t("models.catalogue")} <small>${number(found.length)}</small></h2>
      <${Filters} />
      ${order && html`<p class="hint">${t("models.order_why")}</p>`}
      <p class="marked" hidden=${!marked.value.length}>
        ${marked.value.join(", ")}
        <a class="button" href=${`#models/compare/${marked.value.map(encodeURIComponent).join("/")}`}>${t("models.compare")}</a>
        <button class="quiet" onClick=${() => (marked.value = [])}>${t("models.unmark")}</button>
      </p>
      <ul class="rows">
        ${found.map((one) => html`<${Row} key=${one.name} card=${one} />`)}
      </ul>
      ${cards.value.length > 0 && !found.length && html`<p class="hint">${t("models.none_found")}</p>`}
    </section>
  `;
}

/** @param {any} card */
function fits(card) {
  const { words, task, language, license, fits: only } = wanted.value;
  const text = `${card.name} ${card.title} ${card.license ?? ""}`.toLowerCase();
  return (
    words.toLowerCase().split(/\s+/).every((word) => text.includes(word)) &&
    (!task || TASKS[card.task] === task) &&
    (!language || card.languages.includes(language)) &&
    (!license || card.license === license) &&
    (!only || card.built_in || card.fit?.word.startsWith("fits"))
  );
}

function Filters() {
  const set = (/** @type {object} */ more) => (wanted.value = { ...wanted.value, ...more });
  const languages = [...new Set(cards.value.flatMap((one) => one.languages))].sort();
  const licenses = [...new Set(cards.value.map((one) => one.license).filter(Boolean))].sort();
  const names = new Intl.DisplayNames(document.documentElement.lang, { type: "language" });
  return html`<form class="filters" role="search" onSubmit=${(/** @type {Event} */ event) => event.preventDefault()}>
    <input
      type="search"
      aria-label=${t("models.search")}
      placeholder=${t("models.search")}
      value=${wanted.value.words}
      onInput=${(/** @type {any} */ event) => set({ words: event.target.value })}
    />
    <select aria-label=${t("models.task")} onChange=${(/** @type {any} */ event) => set({ task: event.target.value })}>
      <option value="">${t("models.all_tasks")}</option>
      ${[...new Set(Object.values(TASKS))].map(
        (key) => html`<option value=${key} selected=${wanted.value.task === key}>${t(key)}</option>`,
      )}
    </select>
    <select aria-label=${t("models.language")} onChange=${(/** @type {any} */ event) => set({ language: event.target.value })}>
      <option value="">${t("models.all_languages")}</option>
      ${languages.map((code) => html`<option value=${code} selected=${wanted.value.language === code}>${names.of(code)}</option>`)}
    </select>
    <select aria-label=${t("models.license")} onChange=${(/** @type {any} */ event) => set({ license: event.target.value })}>
      <option value="">${t("models.all_licenses")}</option>
      ${licenses.map((name) => html`<option value=${name} selected=${wanted.value.license === name}>${name}</option>`)}
    </select>
    <select aria-label=${t("models.order")} onChange=${(/** @type {any} */ event) => set({ order: event.target.value })}>
      <option value="">${t("models.by_name")}</option>
      <option value="best" selected=${wanted.value.order === "best"}>${t("models.recommended")}</option>
    </select>
    <label class="check">
      <input type="checkbox" checked=${wanted.value.fits} onChange=${(/** @type {any} */ event) => set({ fits: event.target.checked })} />
      ${t("models.only_fitting")}
    </label>
  </form>`;
}

/** @param {{card: any}} props */
function Row({ card }) {
  const there = isHere(card.name);
  const on = marked.value.includes(card.name);
  const mark = () => (marked.value = on ? marked.value.filter((one) => one !== card.name) : [...marked.value, card.name]);
  const quality = wanted.value.order && ranks.value[card.name]?.quality;
  return html`<li>
    <span class="name">
      <input
        type="checkbox"
        aria-label=${t("models.mark", { name: card.name })}
        checked=${on}
        disabled=${!on && marked.value.length >= MOST}
        onChange=${mark}
      />
      <a href=${`#models/${encodeURIComponent(card.name)}`}>${card.name}</a>
      ${quality && html`<small class="hint">${t("models.won", { share: number(100 * quality.share), models: quality.models })}</small>`}
    </span>
    <span class="kind">${t(TASKS[card.task] ?? "task.other")}</span>
    <span class="license">${card.license ?? "–"}</span>
    <span class="size">${card.fit ? size(card.fit.size) : card.size ? size(card.size) : ""}</span>
    <${Fit} fit=${card.fit} />
    <${Pull} card=${card} there=${there} />
  </li>`;
}

/** Whether it will run here, in a word and a colour.
 * @param {{fit: any}} props */
export function Fit({ fit }) {
  if (!fit) return html`<span class="fit"></span>`;
  const speed = fit.speed && fit.word.startsWith("fits") ? ` · ${t("chat.speed", { speed: number(fit.speed, 1) })}` : "";
  const gaps = { missing: size(fit.missing), largest: number(fit.largest_context) };
  return html`<span class=${`fit ${fit.word}`}>${t(`fit.${fit.word}`, gaps)}${speed}</span>`;
}

/** How much of a pull is here, and how long it takes yet.
 * @param {any} state */
function arrived(state) {
  const share = state.total ? `${number((100 * state.done) / state.total)} %` : "…";
  return state.seconds_left ? `${share} · ${t("models.left", { seconds: number(state.seconds_left) })}` : share;
}

/** @param {{card: any, there: boolean}} props */
export function Pull({ card, there }) {
  const state = pullOf(card.name);
  if (state) return html`<${Arriving} name=${card.name} state=${state} />`;
  if (there || card.built_in) return html`<span class="state on">${t("models.is_here")}</span>`;
  if (!card.fetchable) return html`<span class="hint">${t("models.not_fetchable")}</span>`;
  return html`<button class="quiet" onClick=${() => tried(pull(card.name))}>
    <${Icon} name="save" />${t("models.fetch")}<span class="hidden"> ${card.name}</span>
  </button>`;
}

/** A pull that runs or rests.
 * @param {{name: string, state: any}} props */
function Arriving({ name, state }) {
  const rests = state.state === "paused";
  const share = rests && !state.total ? size(state.done) : arrived(state);
  return html`<span class="progress">
    ${(state.total || !rests) &&
    html`<progress max=${state.total ?? 1} value=${state.total ? state.done : undefined} aria-label=${t("models.pulling", { name })}></progress>`}
    <span class="hint">${rests ? t("models.paused", { share }) : share}</span>
    ${rests
      ? html`<button class="quiet" onClick=${() => tried(pull(state.model))}>${t("models.resume")}<span class="hidden"> ${name}</span></button>`
      : html`<button class="quiet" title=${t("models.pause_why")} onClick=${() => tried(pause(state))}>
          <${Icon} name="pause" />${t("models.pause")}<span class="hidden"> ${name}</span>
        </button>`}
    <button class="quiet" title=${t("models.give_up_why")} onClick=${() => tried(giveUp(state))}>
      <${Icon} name="close" /><span class="hidden">${t("models.give_up", { name })}</span>
    </button>
  </span>`;
}
