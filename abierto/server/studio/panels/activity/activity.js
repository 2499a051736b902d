/** What runs now, and what ran: the models in memory, the last answers and their speeds. */
import { get } from "../../lib/api.js";
import { html, signal, useEffect } from "../../lib/html.js";
import { number, size, t, when } from "../../lib/words.js";

const status = signal(/** @type {any} */ (null));
const runs = signal(/** @type {any[]} */ ([]));
const memory = signal(/** @type {number[]} */ ([]));
const trouble = signal("");
const EVERY = 2000; // milliseconds
const LOOKS = 150; // five minutes of them

async function look() {
  try {
    const found = await get("/abierto/v1/status");
    status.value = found;
    memory.value = [...memory.value, found.memory.total - found.memory.available].slice(-LOOKS);
    runs.value = (await get("/abierto/v1/journal?kind=runs&limit=100")).entries;
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
  return html`
    <section class="page" tabindex="0" aria-label=${t("panel.activity")}>
      <h1>${t("panel.activity")}</h1>
      ${trouble.value && html`<p class="trouble" role="alert">${trouble.value}</p>`}
      ${now &&
      html`<h2>${t("activity.now")}</h2>
        ${now.residents.length
          ? html`<div class="room"><table>
              <thead>
                <tr>${["model", "engine", "state", "memory", "context", "users", "speed"].map((key) => html`<th>${t(`activity.${key}`)}</th>`)}</tr>
              </thead>
              <tbody>
                ${now.residents.map(
                  (/** @type {any} */ one) => html`<tr>
                    <td>${one.model}</td>
                    <td>${one.engine ?? ""}</td>
                    <td>${one.state}</td>
                    <td>${one.memory ? size(one.memory) : "–"}</td>
                    <td>${one.context ? number(one.context) : "–"}</td>
                    <td>${one.users}</td>
                    <td>${one.speed ? number(one.speed, 1) : "–"}</td>
                  </tr>`,
                )}
              </tbody>
            </table></div>`
          : html`<p class="hint">${t("activity.nothing_now")}</p>`}
        ${now.absent.map((/** @type {any} */ one) => html`<p class="hint">${one.model}: ${one.message ?? one.reason ?? ""}</p>`)}
        <h2>${t("activity.memory_taken")}</h2>
        <${Plot} values=${memory.value} most=${now.memory.total} told=${(/** @type {number} */ value) => size(value)} />`}
      <h2>${t("activity.speeds")}</h2>
      <${Plot}
        values=${runs.value.map(speed).filter(Boolean).reverse()}
        told=${(/** @type {number} */ value) => t("chat.speed", { speed: number(value, 1) })}
      />
      <h2>${t("activity.before")}</h2>
      ${runs.value.length
        ? html`<div class="room"><table>
            <thead>
              <tr>${["at", "model", "engine", "tokens", "speed", "outcome"].map((key) => html`<th>${t(`activity.${key}`)}</th>`)}</tr>
            </thead>
            <tbody>
              ${runs.value.slice(0, 30).map(
                (one) => html`<tr>
                  <td>${when(one.at)}</td>
                  <td>${one.model}</td>
                  <td>${one.engine}</td>
                  <td>${one.completion_tokens ?? "–"}</td>
                  <td>${speed(one) ? number(speed(one), 1) : "–"}</td>
                  <td>${one.outcome}</td>
                </tr>`,
              )}
            </tbody>
          </table></div>`
        : html`<p class="hint">${t("activity.nothing_before")}</p>`}
    </section>
  `;
}

/** @param {any} run */
function speed(run) {
  return run.completion_tokens > 8 && run.generation_seconds ? run.completion_tokens / run.generation_seconds : 0;
}

/** @param {{values: number[], told: (value: number) => string, most?: number}} props */
function Plot({ values, told, most = 0 }) {
  if (values.length < 2) return html`<p class="hint">${t("activity.too_few")}</p>`;
  const top = most || Math.max(...values) * 1.1;
  const points = values.map((value, index) => `${(600 * index) / (values.length - 1)},${120 - (120 * value) / top}`);
  const last = values[values.length - 1];
  return html`<figure class="plot">
    <svg viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label=${told(last)}>
      <polygon points=${`0,120 ${points.join(" ")} 600,120`} />
      <polyline points=${points.join(" ")} />
    </svg>
    <figcaption><span>${told(last)}</span><span>${told(top)}</span></figcaption>
  </figure>`;
}
