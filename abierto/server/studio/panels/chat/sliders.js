/** The system prompt and the sampling of a conversation; both, with the model, are kept under a name as an assistant. */
import { post } from "../../lib/api.js";
import { html, signal, useState } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { findModels, findResidents, models, residents } from "../../lib/models.js";
import { model } from "../../lib/settings.js";
import { t } from "../../lib/words.js";
import { set } from "./store.js";
import { open } from "./talk.js";

/** @typedef {{name: string, model: string, system: string, sampling: Record<string, number>}} Assistant */

const KEPT = "abierto.assistants";
/** Sampling that suits a purpose; an empty one is the model's own. */
const PRESETS = /** @type {Record<string, Record<string, number>>} */ ({
  own: {},
  exact: { temperature: 0 },
  free: { temperature: 1.1, top_p: 0.95 },
});

const assistants = signal(/** @type {Assistant[]} */ (JSON.parse(localStorage.getItem(KEPT) ?? "[]")));

/** @param {Assistant[]} all */
function write(all) {
  assistants.value = all.sort((one, other) => one.name.localeCompare(other.name));
  localStorage.setItem(KEPT, JSON.stringify(assistants.value));
}

const KNOBS = [
  { name: "temperature", least: 0, most: 2, step: 0.05, usual: 0.7 },
  { name: "top_p", least: 0, most: 1, step: 0.01, usual: 1 },
  { name: "max_output_tokens", least: 16, most: 8192, step: 16, usual: 2048 },
];

export function Sliders() {
  const talk = open.value;
  const turn = (/** @type {string} */ name, /** @type {string} */ value) => {
    const sampling = { ...talk.sampling, [name]: Number(value) };
    if (value === "") delete sampling[name];
    set({ sampling });
  };
  return html`
    <fieldset class="sliders">
      <legend class="hidden">${t("chat.settings")}</legend>
      <${Assistants} />
      <label class="field wide"
        >${t("chat.system")}
        <textarea rows="3" value=${talk.system} onChange=${(/** @type {any} */ event) => set({ system: event.target.value })}></textarea>
      </label>
      <div class="wide presets" role="group" aria-label=${t("chat.presets")}>
        ${Object.entries(PRESETS).map(
          ([name, sampling]) => html`<button
            type="button"
            class="quiet framed"
            aria-pressed=${same(talk.sampling, sampling)}
            onClick=${() => set({ sampling: chosen(talk.sampling, sampling) })}
          >
            ${t(`chat.preset_${name}`)}
          </button>`,
        )}
      </div>
      ${KNOBS.map(
        ({ name, least, most, step, usual }) => html`<label class="field"
          >${t(`chat.${name}`)}
          <input
            type="number"
            min=${least}
            max=${most}
            step=${step}
            placeholder=${t("chat.usual")}
            value=${talk.sampling[name] ?? ""}
            onChange=${(/** @type {any} */ event) => turn(name, event.target.value)}
          />
          <input
            type="range"
            aria-label=${t(`chat.${name}`)}
            min=${least}
            max=${most}
            step=${step}
            value=${talk.sampling[name] ?? usual}
            onInput=${(/** @type {any} */ event) => turn(name, event.target.value)}
          />
        </label>`,
      )}
      <${Engine} />
    </fieldset>
  `;
}

/** What computes the model; another one may be chosen in the middle of a conversation. */
function Engine() {
  const [trouble, tell] = useState("");
  const name = model.value;
  const here = models.value.find((one) => one.name === name);
  const able = here?.engines ?? [];
  const now = residents.value.find((one) => one.model === name);
  if (able.length < 2) return null;
  const take = async (/** @type {string} */ engine) => {
    tell("");
    await post("/abierto/v1/models/load", { model: name, engine }).catch((problem) => tell(problem.message));
    await Promise.all([findModels(), findResidents()]).catch(() => {});
  };
  return html`<label class="field">
    ${t("chat.engine")}
    <select onChange=${(/** @type {any} */ event) => take(event.target.value)}>
      ${["auto", ...able].map(
        (engine) => html`<option value=${engine} selected=${engine === (here.chosen_engine ?? "auto")}>
          ${engine === "auto" ? t("chat.engine_auto") : engine}
        </option>`,
      )}
    </select>
    <span class="hint" role="status">${trouble || (now?.engine ? t("chat.engine_now", { engine: now.engine }) : t("models.not_loaded"))}</span>
  </label>`;
}

/** A preset decides how words are chosen, not how many.
 * @param {Record<string, number>} before @param {Record<string, number>} preset */
function chosen(before, preset) {
  const most = before.max_output_tokens;
  return most ? { ...preset, max_output_tokens: most } : { ...preset };
}

/** @param {Record<string, number>} sampling @param {Record<string, number>} preset */
function same(sampling, preset) {
  return ["temperature", "top_p"].every((name) => sampling[name] === preset[name]);
}

function Assistants() {
  const [name, call] = useState("");
  const talk = open.value;
  const current = assistants.value.find(
    (one) => one.system === talk.system && one.model === model.value && JSON.stringify(one.sampling) === JSON.stringify(talk.sampling),
  );
  const take = (/** @type {string} */ wanted) => {
    const found = assistants.value.find((one) => one.name === wanted);
    if (!found) return;
    if (found.model) model.value = found.model;
    set({ system: found.system, sampling: { ...found.sampling } });
  };
  const save = () => {
    const wanted = name.trim();
    if (!wanted) return;
    const made = { name: wanted, model: model.value, system: talk.system, sampling: { ...talk.sampling } };
    write([...assistants.value.filter((one) => one.name !== wanted), made]);
    call("");
  };
  return html`<div class="wide assistants">
    <select
      aria-label=${t("chat.assistant")}
      value=${current?.name ?? ""}
      onChange=${(/** @type {any} */ event) => take(event.target.value)}
    >
      <option value="">${t(assistants.value.length ? "chat.assistant" : "chat.no_assistant")}</option>
      ${assistants.value.map((one) => html`<option value=${one.name}>${one.name}</option>`)}
    </select>
    ${current &&
    html`<button
      class="quiet"
      title=${t("chat.forget_assistant", { name: current.name })}
      onClick=${() => write(assistants.value.filter((one) => one !== current))}
    >
      <${Icon} name="bin" /><span class="hidden">${t("chat.forget_assistant", { name: current.name })}</span>
    </button>`}
    <input
      aria-label=${t("chat.name_assistant")}
      placeholder=${t("chat.name_assistant")}
      value=${name}
      onInput=${(/** @type {any} */ event) => call(event.target.value)}
      onKeyDown=${(/** @type {KeyboardEvent} */ event) => event.key === "Enter" && save()}
    />
    <button type="button" class="quiet framed" disabled=${!name.trim()} onClick=${save}>${t("chat.keep_assistant")}</button>
  </div>`;
}
