/** How words are chosen: every knob that the API has, as fields. An empty one is the model's own. */
import { html, useState } from "./html.js";
import { t } from "./words.js";

/** @typedef {Record<string, number>} Biases what is added to the logit of a token, by its number */
/** @typedef {Record<string, number | string | Biases>} Values */

const KNOBS = /** @type {Record<string, {least: number, most: number, step: number}>} */ ({
  max_tokens: { least: 1, most: 8192, step: 1 },
  temperature: { least: 0, most: 2, step: 0.05 },
  top_p: { least: 0, most: 1, step: 0.01 },
  top_k: { least: 0, most: 1000, step: 1 },
  min_p: { least: 0, most: 1, step: 0.01 },
  repeat_penalty: { least: 0.5, most: 2, step: 0.05 },
  presence_penalty: { least: -2, most: 2, step: 0.1 },
  frequency_penalty: { least: -2, most: 2, step: 0.1 },
  seed: { least: 0, most: 4294967295, step: 1 },
});

const MOST_BIAS = 100;

/** A value as it is typed, and told.
 * @param {number | string | Biases} value */
export function worded(value) {
  if (typeof value !== "object") return String(value);
  return Object.entries(value).map((pair) => pair.join("=")).join(" ");
}

/** Biases as somebody types them; null where they are none.
 * @param {string} typed @returns {Biases | null} */
function biases(typed) {
  const pairs = typed.split(/,?\s+/).filter(Boolean).map((one) => one.match(/^(\d+)=(-?\d+(?:[.,]\d+)?)$/));
  const found = pairs.map((pair) => [pair?.[1], Number(pair?.[2].replace(",", "."))]);
  return found.every(([, bias]) => Math.abs(Number(bias)) <= MOST_BIAS) ? Object.fromEntries(found) : null;
}

/** @param {{values: Values, set: (values: Values) => void, off?: boolean}} props */
export function Samplers({ values, set, off = false }) {
  const turn = (/** @type {string} */ name, /** @type {string | number | Biases} */ value) => {
    const { [name]: _, ...others } = values;
    set(value === "" ? others : { ...others, [name]: value });
  };
  return html`<div class="samplers">
    ${Object.entries(KNOBS).map(
      ([name, { least, most, step }]) =>
        html`<label class="field"
          >${t(`sampler.${name}`)}
          <input
            type="number"
            min=${least}
            max=${most}
            step=${step}
            placeholder=${t("sampler.own")}
            disabled=${off}
            value=${values[name] ?? ""}
            onChange=${(/** @type {any} */ { target }) => turn(name, target.value === "" ? "" : Number(target.value))}
          />
        </label>`,
    )}
    <label class="field"
      >${t("sampler.stop")}
      <input disabled=${off} value=${values.stop ?? ""} onChange=${(/** @type {any} */ event) => turn("stop", event.target.value)} />
    </label>
    <${Bias} value=${values.logit_bias ?? ""} set=${(/** @type {Biases | string} */ value) => turn("logit_bias", value)} off=${off} />
  </div>`;
}

/** What is typed stays until it is right.
 * @param {{value: number | string | Biases, set: (value: Biases | string) => void, off: boolean}} props */
function Bias({ value, set, off }) {
  const [typed, type] = useState(/** @type {string | null} */ (null));
  const [wrong, tell] = useState(false);
  const take = (/** @type {string} */ text) => {
    const found = biases(text);
    tell(!found);
    type(found ? null : text);
    if (found) set(Object.keys(found).length ? found : "");
  };
  return html`<label class="field" title=${t("sampler.logit_bias_how")}
    >${t("sampler.logit_bias")}
    <input
      placeholder="15=-100 29=2.5"
      disabled=${off}
      value=${typed ?? worded(value)}
      aria-invalid=${wrong}
      onInput=${(/** @type {any} */ event) => type(event.target.value)}
      onChange=${(/** @type {any} */ event) => take(event.target.value)}
    />
    ${wrong && html`<span class="hint" role="alert">${t("sampler.logit_bias_how")}</span>`}
  </label>`;
}
