/** What a model wrote, token by token, shaded by how likely each was; what else it might have been is told on hover. */
import { html } from "./html.js";
import { number } from "./words.js";

/** @typedef {{text: string, logprob?: number, others?: [string, number][]}} Token */
const LIKELY = 0.5;
const UNLIKELY = 0.1;

/** @param {{tokens: Token[]}} props */
export function Tokens({ tokens }) {
  return tokens.map(({ text, logprob, others = [] }) => {
    if (logprob === undefined) return text;
    const chance = Math.exp(logprob);
    const kind = chance >= LIKELY ? "likely" : chance >= UNLIKELY ? "less" : "unlikely";
    const told = others.map(([other, value]) => `${JSON.stringify(other)} ${percent(Math.exp(value))}`);
    return html`<span class=${`token ${kind}`} title=${[percent(chance), ...told].join("\n")}>${text}</span>`;
  });
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
