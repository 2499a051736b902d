/** What runs now, and what ran: the models in memory, the last answers with their speeds, and what went wrong. */
import { get } from "../../lib/api.js";
import { html, signal, useEffect } from "../../lib/html.js";
import { Plot } from "../../lib/plot.js";
import { number, size, t, when } from "../../lib/words.js";

const status = signal(/** @type {any} */ (null));
const runs = signal(/** @type {any[]} */ ([]));
const failed = signal(/** @type {any[]} */ ([]));
/** Memory that this computer's programs take, since this page was opened.
 * @type {import("../../vendor/signals-core.js").Signal<[number, number][]>} */
const memory = signal([]);
const trouble = signal("");
const EVERY = 2000; // milliseconds
const LOOKS = 900; // half an hour of them
const FINE = ["stop", "length", "tool_calls", "cancelled", "done"];

async function look() {
  try {
    const found = await get("/abierto/v1/status");
    status.value = found;
    memory.value = [...memory.value, /** @type {[number, number]} */ ([Date.now(), found.memory.total - found.memory.available])].slice(
      -LOOKS,
    );
    runs.value = (await get("/abierto/v1/journal?kind=runs&limit=200")).entries;
    failed.value = (await get("/abierto/v1/journal?kind=pulls&limit=20")).entries.filter(
      (/** @type {any} */ one) => !FINE.includes(one.outcome),
    );
    trouble.value = "";
  } catch (problem) {
    trouble.value = /** @type {Error} */ (problem).message;
  }
}

export function Activity() {
  useEffect(() => {
    look();
    const clock = setInterval(look, EVERY);
    return () => clearInterval(clock);
  }, []);
  const now = status.value;
  const total = now?.memory.total ?? 0;
  return html`
    <section class="page" tabindex="0" aria-label=${t("panel.activity")}>
      <h1>${t("panel.activity")}</h1>
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`} ${now && html`<${Now} residents=${now.residents} />`}
      <${Troubles} absent=${now?.absent ?? []} />
      <h2>${t("activity.memory_taken")}</h2>
      <${Plot}
        series=${[{ name: "", points: memory.value }]}
        top=${total}
        told=${size}
        label=${t("activity.memory_taken")}
        empty=${t("activity.too_few")}
      />
      <h2>${t("activity.speeds")}</h2>
      <${Plot} series=${byModel(speed)} told=${speedTold} label=${t("activity.speeds")} empty=${t("activity.too_few")} />
      <h2>${t("activity.memory_of_models")}</h2>
      <${Plot}
        series=${byModel((run) => run.memory_measured ?? 0)}
        told=${size}
        label=${t("activity.memory_of_models")}
        empty=${t("activity.too_few")}
      />
      <h2>${t("activity.before")}</h2>
      ${
        runs.value.length
          ? html`<${Before} />`
          : html`<p class="hint">${t("activity.nothing_before")} <a href="#chat">${t("activity.to_chat")}</a></p>`
      }
    </section>
  `;
}

/** @param {{residents: any[]}} props */
function Now({ residents }) {
  if (!residents.length)
    return html`<h2>${t("activity.now")}</h2>
      <p class="hint">${t("activity.nothing_now")} <a href="#models">${t("panel.models")}</a></p>`;
  return html`<h2>${t("activity.now")}</h2>
    <div class="room">
      <table>
        <thead>
          <tr>
            ${["model", "engine", "state", "memory", "context", "users", "speed"].map((key) => html`<th>${t(`activity.${key}`)}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${residents.map(
            (one) =>
              html`<tr>
                <td>${one.model}</td>
                <td>${one.engine ?? ""}</td>
                <td>${t(`activity.state_${one.state}`)}</td>
                <td>${one.memory ? size(one.memory) : "–"}</td>
                <td>${one.context ? number(one.context) : "–"}</td>
                <td>${one.users}</td>
                <td>${one.speed ? number(one.speed, 1) : "–"}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>`;
}

/** What went wrong lately, each with what to do next: models that are not there, pulls, and answers.
 * @param {{absent: any[]}} props */
function Troubles({ absent }) {
  const answers = runs.value.filter((one) => !FINE.includes(one.outcome)).slice(0, 10);
  const gone = absent.filter((one) => one.message);
  if (!gone.length && !failed.value.length && !answers.length) return null;
  const line = (/** @type {any} */ one, /** @type {string} */ what) =>
    html`<li>
      <strong>${one.model}</strong>: ${what}
      <p class="hint">${one.hint ?? t("activity.next")}${one.at ? ` · ${when(one.at)}` : ""}</p>
    </li>`;
  return html`<h2>${t("activity.troubles")}</h2>
    <ul class="sentences">
      ${gone.map((one) => line(one, one.message))} ${failed.value.map((one) => line(one, t("activity.pull_failed", { code: one.outcome })))}
      ${answers.map((one) => line(one, t("activity.answer_failed", { code: one.outcome })))}
    </ul>`;
}

function Before() {
  return html`<div class="room">
    <table>
      <thead>
        <tr>
          ${["at", "model", "engine", "tokens", "speed", "outcome"].map((key) => html`<th>${t(`activity.${key}`)}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${runs.value.slice(0, 30).map(
          (one) =>
            html`<tr>
              <td>${when(one.at)}</td>
              <td>${one.model}</td>
              <td>${one.engine}</td>
              <td>${one.completion_tokens ?? "–"}</td>
              <td>${speed(one) ? number(speed(one), 1) : "–"}</td>
              <td>${one.outcome}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** A series for each model of the last runs, those that ran last first.
 * @param {(run: any) => number} value @returns {import("../../lib/plot.js").Series[]} */
function byModel(value) {
  const names = [...new Set(runs.value.map((one) => one.model))];
  return names.map((name) => {
    const points = runs.value.filter((one) => one.model === name && value(one)).map((one) => [Date.parse(one.at), value(one)]);
    return { name, points: /** @type {[number, number][]} */ (points.reverse()) };
  });
}

/** @param {any} run */
function speed(run) {
  return run.completion_tokens > 8 && run.generation_seconds ? run.completion_tokens / run.generation_seconds : 0;
}

/** @param {number} value */
function speedTold(value) {
  return t("chat.speed", { speed: number(value, 1) });
}
