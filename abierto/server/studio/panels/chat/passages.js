/** Passages of long texts, and which of them are nearest to a question, by the vectors of an embedding model. */
import { get, post } from "../../lib/api.js";
import { number, t } from "../../lib/words.js";

/** @typedef {{name: string, number: number, place: number, text: string}} Passage
 *   name: of the file; number: in the file, from 1; place: among all */

const LONGEST = 700; // characters of a passage
const BATCH = 64; // passages in one request

/** Vectors that were made, by what they are of: a second question about the same text is answered sooner.
 * @type {Map<string, number[]>} */
const known = new Map();

/** The passages that are nearest to the last thing said, the nearest first, as many as may fit; null without an embedding
 * model.
 * @param {import("./talk.js").Message[]} said @param {number} density tokens of a character, about
 * @param {number} room tokens @param {(note: string) => void} tell
 * @returns {Promise<import("./request.js").Sent | null>} Raises Refused. */
export async function nearest(said, density, room, tell) {
  const { models } = await get("/abierto/v1/models");
  const embedder = models.find((/** @type {any} */ one) => one.task === "embed")?.name;
  if (!embedder) return null;
  const all = cut(said);
  const question = said[said.length - 1].content.trim();
  const vectors = await embedded(
    embedder,
    all.map((one) => one.text),
    (done) => {
      tell(t("chat.embedding", { done: number(done), of: number(all.length), model: embedder }));
    },
  );
  // Who attaches a text and asks nothing gets its beginning.
  const [asked] = question ? await embedded(embedder, [question], () => {}) : [null];
  const near = vectors.map((vector) => (asked ? dot(asked, vector) : 0));
  const order = [...all].sort((one, other) => near[other.place] - near[one.place]);
  /** @type {Passage[]} */
  const passages = [];
  let taken = 0;
  for (const one of order) {
    taken += one.text.length * density;
    if (taken > room) break;
    passages.push(one);
  }
  return { passages, of: all.length, by: embedder };
}

/** The texts of all messages in passages: paragraphs together as long as they are short, long ones in pieces that end with
 * a sentence, or at least with a word.
 * @param {import("./talk.js").Message[]} said @returns {Passage[]} */
function cut(said) {
  /** @type {Passage[]} */
  const found = [];
  for (const file of said.flatMap((one) => one.files ?? [])) {
    if (file.text === undefined) continue;
    let count = 0;
    for (const text of pieces(file.text)) found.push({ name: file.name, number: (count += 1), place: found.length, text });
  }
  return found;
}

/** Where a passage may end, the best first. */
const ENDS = ["\n\n", "\n", ". ", "? ", "! ", " "];

/** @param {string} text @returns {string[]} */
function pieces(text) {
  /** @type {string[]} */
  const found = [];
  let rest = text.trim();
  while (rest.length > LONGEST) {
    const head = rest.slice(0, LONGEST);
    // Not in the first half: passages of a few words are near to everything, and to nothing.
    const end = ENDS.map((sign) => head.lastIndexOf(sign) + sign.length).find((place) => place > LONGEST / 2) ?? LONGEST;
    found.push(head.slice(0, end).trim());
    rest = rest.slice(end).trim();
  }
  return rest ? [...found, rest] : found;
}

/** @param {string} model @param {string[]} texts @param {(done: number) => void} tell @returns {Promise<number[][]>} */
async function embedded(model, texts, tell) {
  const name = (/** @type {string} */ text) => `${model}\n${text}`;
  const fresh = texts.filter((text) => !known.has(name(text)));
  for (let place = 0; place < fresh.length; place += BATCH) {
    tell(texts.length - fresh.length + place);
    const input = fresh.slice(place, place + BATCH);
    const { data } = await post("/v1/embeddings", { model, input });
    for (const one of data) known.set(name(input[one.index]), one.embedding);
  }
  return texts.map((text) => /** @type {number[]} */ (known.get(name(text))));
}

/** @param {number[]} one @param {number[]} other of length 1, both */
function dot(one, other) {
  let sum = 0;
  for (let place = 0; place < one.length; place += 1) sum += one[place] * other[place];
  return sum;
}
