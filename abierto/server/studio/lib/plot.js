/** Values over time, as lines and dots: one colour for each of up to four series. */
import { html } from "./html.js";
import { moment } from "./words.js";

/** @typedef {{name: string, points: [number, number][]}} Series points: milliseconds since 1970, and a value from 0 */

const WIDE = 600;
const HIGH = 140;
const MOST = 4;

/** @param {{series: Series[], told: (value: number) => string, label: string, empty: string, top?: number}} props
 *   told: a value in words; top: of the scale, where it is not that of the values */
export function Plot({ series, told, label, empty, top = 0 }) {
  const shown = series.slice(0, MOST).map((one, place) => ({ ...one, colour: place + 1 })).filter((one) => one.points.length);
  const all = shown.flatMap((one) => one.points);
  if (all.length < 2) return html`<p class="hint">${empty}</p>`;
  const [first, last] = [Math.min(...all.map(([at]) => at)), Math.max(...all.map(([at]) => at))];
  const most = top || Math.max(...all.map(([, value]) => value)) * 1.1 || 1;
  const x = (/** @type {number} */ at) => (WIDE * (at - first)) / Math.max(last - first, 1);
  const y = (/** @type {number} */ value) => HIGH - (HIGH * value) / most;
  return html`<figure class="plot">
    <div class="scale"><span>${told(most)}</span><span>${told(0)}</span></div>
    <svg viewBox=${`0 0 ${WIDE} ${HIGH}`} preserveAspectRatio="none" role="img" aria-label=${`${label}: ${spoken(shown, told)}`}>
      <path class="grid" d=${`M0 ${HIGH / 2}H${WIDE}M0 ${HIGH}H${WIDE}M0 0H${WIDE}`} />
      ${shown.map(({ points, colour }) => {
        const places = points.map(([at, value]) => `${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
        const dots = points.length > 150 ? "" : places.map((one) => `M${one}h0`).join("");
        return html`<path class=${`line-${colour}`} d=${`M${places.join("L")}`} /><path class=${`dots line-${colour}`} d=${dots} />`;
      })}
    </svg>
    <figcaption><span>${moment(first, last - first)}</span><span>${moment(last, last - first)}</span></figcaption>
    ${
      shown.some((one) => one.name) &&
      html`<ul class="legend">
        ${shown.map(({ name, points, colour }) => html`<li class=${`series-${colour}`}>${name}: ${told(points[points.length - 1][1])}</li>`)}
      </ul>`
    }
  </figure>`;
}

/** The last value of each, for those who hear the page.
 * @param {Series[]} series @param {(value: number) => string} told */
function spoken(series, told) {
  return series.map(({ name, points }) => `${name} ${told(points[points.length - 1][1])}`.trim()).join("; ");
}
