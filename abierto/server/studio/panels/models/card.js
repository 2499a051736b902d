/** What is known of one model: what is open about it, with the evidence; and whether it will run here. */
import { get } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { number, size, t } from "../../lib/words.js";
import { Fit, Pull, here } from "./models.js";

/** @param {{name: string, card: any, task: string}} props */
export function Card({ name, card, task }) {
  const [report, tellReport] = useState(/** @type {any} */ (null));
  const [fit, tellFit] = useState(/** @type {any} */ (null));
  const [trouble, tell] = useState("");
  useEffect(() => {
    tellReport(null);
    tellFit(null);
    tell("");
    const query = `model=${encodeURIComponent(name)}`;
    get(`/abierto/v1/openness?${query}`).then(tellReport, (problem) => tell(problem.message));
    get(`/abierto/v1/fit?${query}`).then(tellFit, () => {});
  }, [name]);
  const there = here.value.some((one) => one.name === name || one.name.startsWith(`${name}:`));
  return html`
    <section class="page" aria-label=${name}>
      <p><a href="#models">${t("models.back")}</a></p>
      <h1>${card?.title ?? name}</h1>
      <p class="hint">
        ${[name, task && t(task), card?.license, card?.parameters && t("models.parameters", { count: number(card.parameters / 1e9, 2) })]
          .filter(Boolean)
          .join(" · ")}
      </p>
      ${card && html`<p class="deeds"><${Fit} fit=${card.fit} /><${Pull} card=${card} there=${there} /></p>`}
      ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
      ${card?.openness.length > 0 &&
      html`<ul class="sentences">
        ${card.openness.map((/** @type {string} */ sentence) => html`<li>${sentence}</li>`)}
      </ul>`}
      ${report && html`<${Report} report=${report} />`}
      ${fit?.fits.length > 0 && html`<${Memory} fit=${fit} />`}
    </section>
  `;
}

/** @param {{report: any}} props */
function Report({ report }) {
  const components = report.components ?? [];
  return html`
    <h2>${t("card.components")}</h2>
    <ul class="components">
      ${components.map(
        (/** @type {any} */ one) => html`<li class=${one.status}>
          <strong>${one.name ?? one.key}</strong>
          <span>${t(`card.${one.status}`)}${one.license ? ` · ${one.license}` : ""}</span>
        </li>`,
      )}
    </ul>
  `;
}

const PARTS = ["weights", "kv_cache", "compute", "overhead"];

/** Memory as a bar for each engine, against all that this computer has.
 * @param {{fit: any}} props */
function Memory({ fit }) {
  return html`
    <h2>${t("card.memory")}</h2>
    ${fit.fits.map((/** @type {any} */ one) => {
      const total = PARTS.reduce((sum, part) => sum + one.footprint[part], 0);
      const scale = Math.max(fit.memory.total, total);
      return html`<figure class="memory">
        <figcaption>${one.engine || t("card.estimate")}: ${size(total)} ${t("card.of", { total: size(fit.memory.total) })}</figcaption>
        <svg viewBox="0 0 1000 24" preserveAspectRatio="none" role="img" aria-label=${`${size(total)} / ${size(fit.memory.total)}`}>
          <rect class="whole" x="0" y="0" width="1000" height="24" />
          ${PARTS.map((part, index) => {
            const before = PARTS.slice(0, index).reduce((sum, earlier) => sum + one.footprint[earlier], 0);
            return html`<rect class=${part} x=${(1000 * before) / scale} y="0" width=${(1000 * one.footprint[part]) / scale} height="24" />`;
          })}
        </svg>
        <ul class="legend">
          ${PARTS.map((part) => html`<li class=${part}>${t(`card.${part}`)} ${size(one.footprint[part])}</li>`)}
        </ul>
        ${one.speed && html`<p class="hint">${t(`card.speed_${one.speed.by}`, { speed: number(one.speed.generation, 1) })}</p>`}
      </figure>`;
    })}
  `;
}
