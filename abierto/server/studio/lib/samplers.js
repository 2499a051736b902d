/** How words are chosen: every knob that the API has, as fields. An empty one is the model's own. */
import { html } from "./html.js";
import { t } from "./words.js";

/** @typedef {Record<string, number | string>} Values */

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

/** @param {{values: Values, set: (values: Values) => void, off?: boolean}} props */
export function Samplers({ values, set, off = false }) {
  const turn = (/** @type {string} */ name, /** @type {string | number} */ value) => {
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
  </div>`;
}
