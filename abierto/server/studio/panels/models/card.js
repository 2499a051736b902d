/** What is known of one model: what is open about it, with the evidence; and whether it will run here. */
import { get } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { language, number, size, t } from "../../lib/words.js";
import { Fit, Pull } from "./models.js";
import { here, isHere } from "./shelf.js";
import { Tuning } from "./tuning.js";

/** @param {{name: string, card: any, task: string}} props */
export function Card({ name, card, task }) {
  const [report, tellReport] = useState(/** @type {any} */ (null));
  const [fit, tellFit] = useState(/** @type {any} */ (null));
  const [trouble, tell] = useState("");
  useEffect(() => {
    tellReport(null);
    tellFit(null);
    tell("");
    let wanted = true; // an answer to what was asked before, in another language, may come later than that to this
    const query = `model=${encodeURIComponent(name)}`;
    get(`/abierto/v1/openness?${query}&language=${language.value}`).then(
      (found) => wanted && tellReport(found),
      (problem) => wanted && tell(problem.message),
    );
    get(`/abierto/v1/fit?${query}`).then((found) => wanted && tellFit(found), () => {});
    return () => {
      wanted = false;
    };
  }, [name, language.value]);
  const there = isHere(name);
  const mine = here.value.find((one) => one.task === "chat" && (one.name === name || one.name.startsWith(`${name}:`)));
  return html`
    <section class="page" aria-label=${name}>
      <p><a href="#models">${t("models.back")}</a></p>
      <h1>${card?.title ?? name}</h1>
      <p class="hint">
        ${[name, task && t(task), card?.license, counted(card?.parameters)]
          .filter(Boolean)
          .join(" · ")}
      </p>
      ${card && html`<p class="deeds"><${Fit} fit=${card.fit} /><${Pull} card=${card} there=${there} /></p>`}
      ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
      ${card?.openness.length > 0 &&
      html`<ul class="sentences">
        ${card.openness.map((/** @type {string} */ sentence) => html`<li>${sentence}</li>`)}
      </ul>`}
      ${mine && html`<${Tuning} name=${mine.name} />`}
      ${report && html`<${Report} report=${report} />`}
      ${fit?.fits.length > 0 && html`<${Memory} fit=${fit} />`}
    </section>
  `;
}

const FREEDOMS = ["use", "study", "modify", "share"];

/** @param {number} [parameters] */
function counted(parameters) {
  if (!parameters) return "";
  if (parameters < 1e9) return t("models.millions", { count: number(parameters / 1e6) });
  return t("models.parameters", { count: number(parameters / 1e9, 1) });
}

/** @param {{report: any}} props */
function Report({ report }) {
  const weights = report.freedoms.weights ?? [];
  const level = report.mof_strict.level;
  return html`
    <h2>${t("card.verdicts")}</h2>
    <ul class="verdicts">
      <li><strong>${t("card.mof")}</strong><span>${level ? t("card.mof_class", { level }) : t("card.mof_none")}</span></li>
      ${report.osi.checks.map(
        (/** @type {any} */ one) => html`<li class=${one.outcome}>
          <strong>OSI: ${t(`openness.osi.${one.key}`)}</strong><span>${t(`openness.outcome.${one.outcome}`)}</span>
        </li>`,
      )}
      ${FREEDOMS.map((key) => weights.find((/** @type {any} */ one) => one.key === key))
        .filter(Boolean)
        .map(
          (one) => html`<li class=${one.outcome}>
            <strong>${t("card.freedom", { freedom: t(`openness.freedom.${one.key}`) })}</strong>
            <span>${t(`openness.outcome.${one.outcome}`)}</span>
          </li>`,
        )}
    </ul>
    <h2>${t("card.components")}</h2>
    <ul class="components">
      ${report.inventory.findings.map((/** @type {any} */ one) => {
        const where = one.where[0]?.place ?? "";
        const told = [t(`openness.outcome.${one.status}`), one.license].filter(Boolean).join(" · ");
        return html`<li class=${one.status}>
          <strong>${t(`openness.component.${one.component.key}`)}</strong>
          <span>${where.startsWith("https://") ? html`<a href=${where} target="_blank" rel="noopener noreferrer">${told}</a>` : told}</span>
        </li>`;
      })}
    </ul>
    <h2>${t("card.report")}</h2>
    ${report.sections
      .filter((/** @type {any} */ one) => one.key !== "components")
      .map((/** @type {any} */ one) => html`<${Section} key=${one.key} ...${one} />`)}
  `;
}

/** One part of the report in words, with what each line rests on.
 * @param {{title: string, version: string, lines: any[]}} props */
function Section({ title, version, lines }) {
  return html`<details class="section">
    <summary>${title}</summary>
    ${version && html`<p class="hint">${version}</p>`}
    <ul>
      ${lines.map(
        ({ label, said, outcome, why, where }) => html`<li class=${outcome}>
          <strong>${label}</strong>${said && html` <span>${said}</span>`}${why && html`<p>${why}</p>`}
          ${where && html`<p class="hint">${where}</p>`}
        </li>`,
      )}
    </ul>
  </details>`;
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
