/** The reports of up to four models side by side: what is open about each, and what it takes here. */
import { get } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { number, size, t } from "../../lib/words.js";

const MOST = 4;
const OSI = ["data_information", "code", "parameters"];
const FREEDOMS = ["use", "study", "modify", "share"];

/** @param {{names: string[]}} props */
export function Reports({ names }) {
  const shown = names.slice(0, MOST);
  const [found, tell] = useState(/** @type {Record<string, any>} */ ({}));
  useEffect(() => {
    for (const name of shown) {
      const query = `model=${encodeURIComponent(name)}`;
      const know = (/** @type {object} */ facts) => tell((before) => ({ ...before, [name]: { ...before[name], ...facts } }));
      get(`/abierto/v1/openness?${query}`).then((report) => know({ report }), (problem) => know({ trouble: problem.message }));
      get(`/abierto/v1/fit?${query}`).then((fit) => know({ fit }), () => {});
    }
  }, [names.join("/")]);
  const each = (/** @type {(facts: any) => unknown} */ cell) => shown.map((name) => html`<td>${found[name] ? cell(found[name]) : "…"}</td>`);
  const components = Object.values(found).find((one) => one.report)?.report.inventory.findings ?? [];
  return html`
    <section class="page" aria-label=${t("models.compare")}>
      <p><a href="#models">${t("models.back")}</a></p>
      <h1>${t("models.compare")}</h1>
      ${Object.entries(found).map(([name, { trouble }]) => trouble && html`<p class="trouble" role="alert">${name}: ${trouble}</p>`)}
      <div class="room" tabindex="0">
        <table class="reports">
          <thead>
            <tr>
              <td></td>
              ${shown.map((name) => html`<th scope="col"><a href=${`#models/${encodeURIComponent(name)}`}>${name}</a></th>`)}
            </tr>
          </thead>
          <tbody>
            <${Line} head=${t("card.mof")} cells=${each(({ report }) => report && classed(report.mof_strict.level))} />
            ${OSI.map((key) => {
              const cells = each(({ report }) => outcome(report?.osi.checks.find((/** @type {any} */ one) => one.key === key)));
              return html`<${Line} head=${`OSI: ${t(`openness.osi.${key}`)}`} cells=${cells} />`;
            })}
            ${FREEDOMS.map((key) => {
              const head = t("card.freedom", { freedom: t(`openness.freedom.${key}`) });
              const cells = each(({ report }) => outcome(report?.freedoms.weights?.find((/** @type {any} */ one) => one.key === key)));
              return html`<${Line} head=${head} cells=${cells} />`;
            })}
            ${components.map((/** @type {any} */ component, /** @type {number} */ place) => {
              const cells = each(({ report }) => report && part(report.inventory.findings[place]));
              return html`<${Line} head=${t(`openness.component.${component.component.key}`)} cells=${cells} />`;
            })}
            <${Line} head=${t("card.memory")} cells=${each(({ fit }) => fit && taken(fit))} />
            <${Line} head=${t("card.speed")} cells=${each(({ fit }) => fit && fast(fit))} />
          </tbody>
        </table>
      </div>
    </section>
  `;
}

/** @param {{head: string, cells: unknown}} props */
function Line({ head, cells }) {
  return html`<tr><th scope="row">${head}</th>${cells}</tr>`;
}

/** @param {number | null} level */
function classed(level) {
  return level ? t("card.mof_class", { level }) : t("card.mof_none");
}

/** @param {any} one */
function outcome(one) {
  return one && html`<span class=${one.outcome}>${t(`openness.outcome.${one.outcome}`)}</span>`;
}

/** @param {any} one */
function part(one) {
  return html`<span class=${one.status}>${[t(`openness.outcome.${one.status}`), one.license].filter(Boolean).join(" · ")}</span>`;
}

/** @param {any} fit */
function taken(fit) {
  const least = fit.fits.map((/** @type {any} */ one) => one.footprint.total);
  return least.length ? size(Math.min(...least)) : "–";
}

/** @param {any} fit */
function fast(fit) {
  const speeds = fit.fits.map((/** @type {any} */ one) => one.speed?.generation ?? 0);
  return Math.max(0, ...speeds) ? t("chat.speed", { speed: number(Math.max(...speeds), 1) }) : "–";
}
