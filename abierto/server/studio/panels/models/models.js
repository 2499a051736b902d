/** The models: those that are here, those that could be, and what is known of one of them. */
import { get, post } from "../../lib/api.js";
import { html, signal, useEffect, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { model as chosen } from "../../lib/settings.js";
import { number, size, t } from "../../lib/words.js";
import { Card } from "./card.js";
import { Reports } from "./reports.js";
import { pause, pull, pulls } from "./pulls.js";

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

export const here = signal(/** @type {any[]} */ ([]));
const cards = signal(/** @type {any[]} */ ([]));
export const residents = signal(/** @type {any[]} */ ([]));
const wanted = signal({ words: "", task: "", language: "", fits: false, order: "" });
/** What is recommended for the task that is wanted, by name, in its order. */
const ranks = signal(/** @type {Record<string, any>} */ ({}));
/** The models whose reports are to stand side by side. */
export const marked = signal(/** @type {string[]} */ ([]));
const MOST = 4;
const trouble = signal("");

export async function look() {
  const [models, status] = await Promise.all([get("/abierto/v1/models"), get("/abierto/v1/status")]);
  here.value = models.models;
  residents.value = status.residents;
}

/** @param {Promise<unknown>} work */
export function tried(work) {
  trouble.value = "";
  return work.catch((problem) => (trouble.value = problem.message)).then(() => look().catch(() => {}));
}

/** @param {{rest: string[]}} props */
export function Models({ rest }) {
  useEffect(() => {
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
  const { words, task, language, fits: only } = wanted.value;
  const text = `${card.name} ${card.title} ${card.license ?? ""}`.toLowerCase();
  return (
    words.toLowerCase().split(/\s+/).every((word) => text.includes(word)) &&
    (!task || TASKS[card.task] === task) &&
    (!language || card.languages.includes(language)) &&
    (!only || card.built_in || card.fit?.word.startsWith("fits"))
  );
}

function Filters() {
  const set = (/** @type {object} */ more) => (wanted.value = { ...wanted.value, ...more });
  const languages = [...new Set(cards.value.flatMap((one) => one.languages))].sort();
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

/** @param {{one: any}} props */
function Here({ one }) {
  const loaded = residents.value.find((resident) => resident.model === one.name);
  const [busy, work] = useState(false);
  const act = (/** @type {Promise<unknown>} */ promise) => {
    work(true);
    tried(promise).then(() => work(false));
  };
  return html`<li class="tile">
    <h3><a href=${`#models/${encodeURIComponent(one.name)}`}>${one.name}</a></h3>
    <p class="hint">
      ${[one.size ? size(one.size) : t("models.built_in"), one.quantization, one.license].filter(Boolean).join(" · ")}
    </p>
    <p class=${loaded ? "state on" : "state"}>
      ${loaded ? t("models.loaded", { memory: loaded.memory ? size(loaded.memory) : "?" }) : t("models.not_loaded")}
    </p>
    <div class="deeds">
      ${one.task === "chat" && html`<a class="button" href="#chat" onClick=${() => (chosen.value = one.name)}>${t("models.talk")}</a>`}
      ${loaded
        ? html`<button class="quiet" disabled=${busy} onClick=${() => act(post("/abierto/v1/models/unload", { model: one.name }))}>
              ${t("models.unload")}
            </button>
            <button
              class="quiet"
              aria-pressed=${loaded.pinned}
              disabled=${busy}
              onClick=${() => act(post("/abierto/v1/models/pin", { model: one.name, pinned: !loaded.pinned }))}
            >
              ${t(loaded.pinned ? "models.unpin" : "models.pin")}
            </button>`
        : html`<button
            class="quiet"
            disabled=${busy}
            onClick=${() => act(post("/abierto/v1/models/load", { model: one.name, task: one.task }))}
          >
            ${t(busy ? "models.loading" : "models.load")}
          </button>`}
    </div>
  </li>`;
}

/** @param {{card: any}} props */
function Row({ card }) {
  const there = here.value.some((one) => one.name === card.name || one.name.startsWith(`${card.name}:`));
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
  const state = pulls.value[card.name];
  if (there || card.built_in) return html`<span class="state on">${t("models.is_here")}</span>`;
  if (!card.fetchable) return html`<span class="hint">${t("models.not_fetchable")}</span>`;
  if (state) {
    return html`<span class="progress">
      <progress
        max=${state.total ?? 1}
        value=${state.total ? state.done : undefined}
        aria-label=${t("models.pulling", { name: card.name })}
      ></progress>
      <span class="hint">${arrived(state)}</span>
      <button class="quiet" title=${t("models.pause")} onClick=${() => tried(pause(card.name))}>
        <${Icon} name="stop" /><span class="hidden">${t("models.pause")}</span>
      </button>
    </span>`;
  }
  return html`<button class="quiet" onClick=${() => tried(pull(card.name))}><${Icon} name="save" />${t("models.fetch")}</button>`;
}
