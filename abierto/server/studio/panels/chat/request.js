/** What a model is sent for an answer: all that was said with all that is attached; or, where that is longer than its
 * context, of the attached texts the passages that are nearest to the question.
 */
import { contextOf, findResidents } from "../../lib/models.js";
import { number, t } from "../../lib/words.js";
import { count } from "./count.js";
import { parts, worded } from "./files.js";

/** @typedef {import("./talk.js").Message} Message */
/** @typedef {import("./passages.js").Passage} Passage */
/** @typedef {{passages: Passage[], of: number, by: string}} Sent of: how many passages there are; by: whose vectors */

const ANSWER = 1024; // tokens left for the answer, at most
const SHARE = 4; // and never more than this part of the context

/** @param {Message[]} said @param {string} system @param {string} model @param {Record<string, number>} sampling
 * @param {(note: string) => void} tell @returns {Promise<{input: unknown[], sent?: Sent}>} Raises Error, Refused. */
export async function request(said, system, model, sampling, tell) {
  const whole = { input: said.map((one) => ({ role: one.role, content: parts(one) })) };
  if (!said.some((one) => one.files?.some((file) => file.text !== undefined))) return whole;
  tell(t("chat.counting"));
  const tokens = await count(
    model,
    system,
    said.map((one) => ({ role: one.role, content: worded(one) })),
  );
  await findResidents();
  const context = contextOf(model);
  const answer = Math.min(sampling.max_output_tokens ?? ANSWER, Math.floor(context / SHARE));
  if (!context || tokens + answer <= context) return whole;
  const bare = said.map((one) => ({ role: one.role, content: one.content }));
  const rest = await count(model, system, bare);
  const gaps = { tokens: number(tokens), context: number(context), model };
  if (rest + answer > context) throw new Error(t("chat.too_long", gaps));
  const { nearest } = await import("./passages.js");
  const found = await nearest(said, (tokens - rest) / length(said), context - answer - rest, tell);
  if (!found) throw new Error(t("chat.no_embedder", gaps));
  return { input: await fitting(found, said, bare, system, model, context - answer), sent: found };
}

/** The messages with the passages before the question. What was guessed of their tokens is counted; the farthest ones go
 * until they fit.
 * @param {Sent} found changed @param {Message[]} said @param {{role: string, content: string}[]} bare
 * @param {string} system @param {string} model @param {number} most tokens */
async function fitting(found, said, bare, system, model, most) {
  for (;;) {
    const last = bare[bare.length - 1];
    const asked = { ...last, content: `${quoted(found)}${last.content}` };
    const tokens = await count(model, system, [...bare.slice(0, -1), asked]);
    if (tokens <= most || !found.passages.length) {
      return said.map((one, place) => {
        const content = place === said.length - 1 ? asked.content : one.content;
        return { role: one.role, content: parts({ content, files: one.files?.filter((file) => file.image) }) };
      });
    }
    const keep = Math.min(found.passages.length - 1, Math.floor((found.passages.length * most) / tokens));
    found.passages = found.passages.slice(0, keep);
  }
}

/** The passages as the model reads them, in the order of the texts.
 * @param {Sent} found */
function quoted({ passages, of }) {
  const ordered = [...passages].sort((one, other) => one.place - other.place);
  const told = ordered.map(({ name, number: count, text }) => `[${name}, ${count}]\n${text}\n\n`);
  return `${t("chat.passages_head", { sent: number(passages.length), of: number(of) })}\n\n${told.join("")}`;
}

/** Characters of all texts.
 * @param {Message[]} said */
function length(said) {
  const texts = said.flatMap((one) => one.files ?? []).map((one) => one.text ?? "");
  return texts.reduce((sum, text) => sum + text.length, 0);
}
