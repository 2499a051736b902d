/** What the engines of this computer do with a model: measured on request, and kept. */
import { ask, events, get } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { number, t } from "../../lib/words.js";

const SPEEDS = ["prompt", "generation", "repeating", "together"];

/** @param {{name: string}} props */
export function Tuning({ name }) {
  const [found, tell] = useState(/** @type {any} */ (null));
  const [step, work] = useState(/** @type {any} */ (null));
  const [trouble, fail] = useState("");
  const [stopping, stop] = useState(/** @type {AbortController | null} */ (null));
  useEffect(() => {
    tell(null);
    get(`/abierto/v1/tunings?model=${encodeURIComponent(name)}`).then(tell, () => {});
  }, [name]);
  useEffect(() => () => stopping?.abort(), [stopping]);
  const begin = async () => {
    const control = new AbortController();
    stop(control);
    fail("");
    try {
      const reply = await ask("POST", "/abierto/v1/tunings", { model: name }, control.signal);
      for await (const event of events(reply)) {
        if (event.rows) tell(event);
        else if (event.message) fail(event.message);
        else if (event.stage) work(event);
      }
    } catch (problem) {
      if (!control.signal.aborted) fail(/** @type {Error} */ (problem).message);
    }
    work(null);
    stop(null);
  };
  return html`
    <h2>${t("tune.title")}</h2>
    <p class="hint">${t("tune.what")}</p>
    ${found?.rows.length > 0 && html`<${Table} rows=${found.rows} choice=${found.choice} />`}
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    <p class="line">
      ${
        stopping
          ? html`<button class="button" onClick=${() => stopping.abort()}>${t("chat.stop")}</button>
              ${step && html`<progress aria-label=${t("tune.title")} max=${step.total} value=${step.done}></progress>`}
              <span class="hint" role="status">${step && `${named(step)}: ${t(`tune.stage_${step.stage}`)}`}</span>`
          : html`<button class="button" onClick=${begin}>${t(found?.rows.length ? "tune.again" : "tune.begin")}</button>`
      }
    </p>
  `;
}

/** @param {any} one */
function named(one) {
  const more = [one.settings.llama_server && "llama-server", one.settings.speculation && t("tune.guessing")].filter(Boolean);
  return more.length ? `${one.engine} (${more.join(", ")})` : one.engine;
}

/** @param {{rows: any[], choice: Record<string, any>}} props */
function Table({ rows, choice }) {
  const cell = (/** @type {number} */ speed) => html`<td>${speed ? number(speed, 1) : "–"}</td>`;
  return html`<div class="room" tabindex="0" role="region" aria-label=${t("tune.title")}>
      <table>
        <thead>
          <tr>
            ${["engine", "threads", "start", ...SPEEDS].map((key) => html`<th scope="col">${t(`tune.${key}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${rows.map(
            (one) =>
              html`<tr>
                <th scope="row">${named(one)}</th>
                <td>${one.threads}</td>
                ${
                  one.speeds
                    ? html`<td>${t("tune.seconds", { seconds: number(one.speeds.start, 2) })}</td>
                        ${SPEEDS.map((key) => cell(one.speeds[key]))}`
                    : html`<td colspan="5">${t("tune.failed", { code: one.error })}</td>`
                }
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    <ul class="sentences">
      ${Object.entries(choice)
        .filter(([, row]) => row)
        .map(([use, row]) => html`<li>${t(`tune.use_${use}`, { engine: named(row) })}</li>`)}
    </ul>`;
}
