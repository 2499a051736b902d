/** Images of what words say, seen as they come; those of this visit stay until the page is left. */
import { ask, events, get } from "../../lib/api.js";
import { html, signal, useEffect } from "../../lib/html.js";
import { Icon } from "../../lib/icons.js";
import { later } from "../../lib/later.js";
import { t } from "../../lib/words.js";

/** @typedef {{prompt: string, negative: string, model: string, size: string, steps: number, guidance: number, seed: number,
 *   count: number, style: string}} Wish */
/** @typedef {{image: string, seed: number, wish: Wish}} Drawn */

// An empty number is the model's own.
const KNOBS = /** @type {{name: "steps" | "guidance" | "seed" | "count", least: number, most: number, step: number}[]} */ ([
  { name: "steps", least: 1, most: 200, step: 1 },
  { name: "guidance", least: 0, most: 50, step: 0.5 },
  { name: "seed", least: 0, most: 4294967294, step: 1 },
  { name: "count", least: 1, most: 16, step: 1 },
]);
const STYLES = ["flat", "solid", "shaded", "outlined", "cartoon"];
const SIZES = ["auto", "64x64", "128x128", "256x256"];
const EVERY_STEP = 200;

const wish = signal(/** @type {Partial<Wish>} */ ({ size: "auto", style: "", model: "" }));
const able = signal(/** @type {string[]} */ ([]));
const coming = signal(/** @type {string[]} */ ([]));
const gallery = signal(/** @type {Drawn[]} */ ([]));
const busy = signal(false);
const trouble = signal("");
const told = signal("");
let stopping = new AbortController();

/** @param {Partial<Wish>} facts */
const set = (facts) => (wish.value = { ...wish.value, ...facts });

async function findModels() {
  const { models } = await get("/abierto/v1/models");
  // What has no files is a part of Abierto, and draws after a fashion.
  able.value = models.filter((/** @type {any} */ one) => one.task === "draw" || one.format === "none").map((/** @type {any} */ one) => one.name);
}

/** @param {Partial<Wish>} asked */
function body(asked) {
  const words = asked.style ? `${asked.prompt}, ${t(`draw.style_${asked.style}`)}` : asked.prompt;
  return {
    model: asked.model || "",
    prompt: words,
    negative_prompt: asked.negative ?? "",
    size: asked.size,
    n: asked.count ?? 1,
    num_inference_steps: asked.steps,
    guidance_scale: asked.guidance,
    seed: asked.seed,
    stream: true,
    partial_images: EVERY_STEP,
  };
}

async function draw() {
  const asked = /** @type {Wish} */ ({ ...wish.value });
  if (!asked.prompt?.trim() || busy.value) return;
  busy.value = true;
  trouble.value = "";
  told.value = t("draw.begun");
  const seen = Array.from({ length: asked.count ?? 1 }, () => "");
  const show = () => busy.value && (coming.value = [...seen]);
  show();
  stopping = new AbortController();
  let done = 0;
  try {
    const reply = await ask("POST", "/v1/images/generations", body(asked), stopping.signal);
    for await (const piece of events(reply)) {
      if (piece.error) throw new Error(piece.error.message);
      const image = `data:image/png;base64,${piece.b64_json}`;
      seen[piece.index] = image;
      later(show);
      if (piece.type !== "image_generation.completed") continue;
      done += 1;
      gallery.value = [{ image, seed: piece.seed, wish: asked }, ...gallery.value];
    }
  } catch (problem) {
    if (!stopping.signal.aborted) trouble.value = /** @type {Error} */ (problem).message;
  }
  busy.value = false;
  coming.value = [];
  told.value = t("draw.done", { count: done });
}

export function Draw() {
  useEffect(() => {
    findModels().catch((problem) => (trouble.value = problem.message));
  }, []);
  const now = wish.value;
  return html`
    <section class="page" aria-label=${t("panel.draw")}>
      <h1>${t("panel.draw")}</h1>
      <p class="hint">${t("draw.what")}</p>
      <${Words} />
      <div class="line">
        <label class="field"
          >${t("chat.model")}
          <select onChange=${(/** @type {any} */ event) => set({ model: event.target.value })}>
            <option value="" selected=${!now.model}>${t("draw.usual_model")}</option>
            ${able.value.map((name) => html`<option value=${name} selected=${name === now.model}>${name}</option>`)}
          </select>
        </label>
        <label class="field"
          >${t("draw.size")}
          <select onChange=${(/** @type {any} */ event) => set({ size: event.target.value })}>
            ${SIZES.map(
              (size) => html`<option value=${size} selected=${size === now.size}>
                ${size === "auto" ? t("draw.usual") : size.replace("x", " × ")}
              </option>`,
            )}
          </select>
        </label>
        ${KNOBS.map((knob) => html`<${Knob} ...${knob} />`)}
      </div>
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      <p class="hidden" role="status">${told.value}</p>
      ${busy.value && html`<${Coming} prompt=${now.prompt ?? ""} />`}
      ${gallery.value.length > 0 && html`<h2>${t("draw.gallery")}</h2>`}
      <ul class="gallery">
        ${gallery.value.map((one) => html`<${Picture} key=${one.image} one=${one} />`)}
      </ul>
    </section>
  `;
}

function Words() {
  const now = wish.value;
  const enter = (/** @type {any} */ event) => {
    event.preventDefault();
    draw();
  };
  return html`<form class="words-to-draw" onSubmit=${enter}>
    <label class="field"
      >${t("draw.prompt")}
      <input value=${now.prompt ?? ""} maxlength="2000" onInput=${(/** @type {any} */ event) => set({ prompt: event.target.value })} />
    </label>
    <div class="presets" role="group" aria-label=${t("draw.styles")}>
      ${STYLES.map(
        (style) => html`<button
          type="button"
          class="quiet framed"
          aria-pressed=${now.style === style}
          onClick=${() => set({ style: now.style === style ? "" : style })}
        >
          ${t(`draw.style_${style}`)}
        </button>`,
      )}
    </div>
    <label class="field"
      >${t("draw.negative")}
      <input value=${now.negative ?? ""} maxlength="2000" onInput=${(/** @type {any} */ event) => set({ negative: event.target.value })} />
    </label>
    <p class="line">
      ${/* Not one button with another word: what stops would then send the form. */ busy.value
        ? html`<button key="stop" type="button" class="button" onClick=${() => stopping.abort()}>${t("chat.stop")}</button>`
        : html`<button key="go" class="button" disabled=${!now.prompt?.trim()}>${t("draw.go")}</button>`}
    </p>
  </form>`;
}

/** @param {typeof KNOBS[number]} props */
function Knob({ name, least, most, step }) {
  const turn = (/** @type {any} */ event) => set({ [name]: event.target.value === "" ? undefined : Number(event.target.value) });
  return html`<label class="field"
    >${t(`draw.${name}`)}
    <input type="number" min=${least} max=${most} step=${step} placeholder=${t("draw.usual")} value=${wish.value[name] ?? ""} onInput=${turn} />
  </label>`;
}

/** @param {{prompt: string}} props */
function Coming({ prompt }) {
  return html`<ul class="gallery coming" aria-label=${t("draw.coming")}>
    ${coming.value.map(
      (image) => html`<li>
        ${image ? html`<img src=${image} alt=${t("draw.unfinished", { prompt })} />` : html`<div class="blank"></div>`}
      </li>`,
    )}
  </ul>`;
}

/** @param {{one: Drawn}} props */
function Picture({ one }) {
  const { prompt } = one.wish;
  const name = `${prompt.replace(/[^\p{L}\p{N} _-]/gu, "").trim().slice(0, 40) || "abierto"}-${one.seed}.png`;
  return html`<li>
    <img src=${one.image} alt=${prompt} />
    <p class="hint">${prompt} · ${t("draw.seed")} ${one.seed}</p>
    <p class="deeds">
      <a class="quiet" href=${one.image} download=${name}><${Icon} name="save" />${t("draw.save")}</a>
      <button class="quiet" onClick=${() => set({ ...one.wish, seed: one.seed, count: 1 })}>
        <${Icon} name="retry" />${t("draw.again")}
      </button>
    </p>
  </li>`;
}
