/** What a model wrote, token by token, shaded by how likely each was; what else it might have been is told where one points. */
import { html, signal, useRef } from "./html.js";
import { number, t } from "./words.js";

/** @typedef {{text: string, logprob?: number, others?: [string, number][]}} Token */
const LIKELY = 0.5;
const UNLIKELY = 0.1;

/** @param {{tokens: Token[]}} props */
function Tokens({ tokens }) {
  return tokens.map(({ text, logprob }, place) => {
    if (logprob === undefined) return text;
    const chance = Math.exp(logprob);
    const kind = chance >= LIKELY ? "likely" : chance >= UNLIKELY ? "less" : "unlikely";
    return html`<span class=${`token ${kind}`} data-place=${place}>${text}</span>`;
  });
}

/** What a model wrote. The token that is pointed at, or gone to with the arrows left and right, is told below.
 * @param {{tokens: Token[], label: string, scrolled?: (event: Event) => void}} props */
export function Answer({ tokens, label, scrolled }) {
  const at = useRef(signal(-1)).current;
  const known = tokens.some((one) => one.logprob !== undefined);
  const go = (/** @type {any} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[/** @type {string} */ (event.key)];
    if (!step || !known) return;
    event.preventDefault();
    at.value = Math.min(Math.max(at.value + step, 0), tokens.length - 1);
    event.currentTarget.querySelector(".at")?.classList.remove("at");
    const token = event.currentTarget.querySelector(`[data-place="${at.value}"]`);
    token?.classList.add("at");
    token?.scrollIntoView({ block: "nearest" });
  };
  return html`<div
      class="answer"
      tabindex="0"
      role="region"
      aria-label=${label}
      onScroll=${scrolled}
      onMouseOver=${(/** @type {any} */ { target }) => target.dataset.place && (at.value = Number(target.dataset.place))}
      onKeyDown=${go}
    >
      <${Tokens} tokens=${tokens} />
    </div>
    ${known && html`<${Others} tokens=${tokens} at=${at} />`}`;
}

/** A token, and what else might have stood there, each with its chance as a number and a bar.
 * @param {{tokens: Token[], at: import("../vendor/signals-core.js").Signal<number>}} props */
function Others({ tokens, at }) {
  const token = tokens[at.value];
  if (token?.logprob === undefined) return html`<p class="others hint">${t("tokens.point")}</p>`;
  const others = (token.others ?? []).filter(([text]) => text !== token.text);
  const all = [[token.text, token.logprob], ...others].map(([text, value]) => ({ text, share: Math.exp(Number(value)) }));
  return html`<ul class="others" aria-label=${t("tokens.others")} aria-live="polite">
    ${all.map(
      ({ text, share }) =>
        html`<li>
          <code>${JSON.stringify(text).slice(1, -1)}</code><meter min="0" max="1" value=${share} aria-hidden="true"></meter
          ><span>${percent(share)}</span>
        </li>`,
    )}
  </ul>`;
}

/** @param {number} share */
function percent(share) {
  return `${number(100 * share, share < 0.1 ? 1 : 0)} %`;
}

/** The tokens of a piece of OpenAI's chat dialect.
 * @param {any} choice @returns {Token[]} */
export function ofChat(choice) {
  const known = choice.logprobs?.content ?? [];
  if (!known.length) return choice.delta?.content ? [{ text: choice.delta.content }] : [];
  return known.map((/** @type {any} */ one) => ({
    text: one.token,
    logprob: one.logprob,
    others: one.top_logprobs.map((/** @type {any} */ other) => [other.token, other.logprob]),
  }));
}

/** The tokens of a piece of OpenAI's dialect for raw text.
 * @param {any} choice @returns {Token[]} */
export function ofText(choice) {
  const known = choice.logprobs;
  if (!known?.tokens?.length) return choice.text ? [{ text: choice.text }] : [];
  return known.tokens.map((/** @type {string} */ text, /** @type {number} */ index) => ({
    text,
    logprob: known.token_logprobs[index],
    others: Object.entries(known.top_logprobs?.[index] ?? {}),
  }));
}
