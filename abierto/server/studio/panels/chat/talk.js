/** The conversation that is open, as a tree: each message knows the one before it, and the last one walked to is the leaf. */
import { computed, signal } from "../../lib/html.js";

/** @typedef {{id: string, parent: string, role: "user" | "assistant", content: string, thought?: string, model?: string,
 *   error?: string, response?: string, tokens?: number, prompt?: number, speed?: number, cut?: boolean,
 *   files?: import("./files.js").Attached[], sent?: import("./request.js").Sent}} Message */
/** key: stays while it is open, also when one that has just begun gets its number.
 * @typedef {{id: number, key: string, title: string, nodes: Record<string, Message>, leaf: string, system: string,
 *   sampling: Record<string, number>}} Conversation */

export const open = signal(/** @type {Conversation} */ (blank()));
export const trouble = signal("");

/** @returns {Conversation} */
export function blank() {
  return { id: 0, key: fresh(), title: "", nodes: {}, leaf: "", system: "", sampling: {} };
}

/** The messages from the first to one.
 * @param {Conversation} talk @param {string} [leaf] @returns {Message[]} */
export function path(talk, leaf = talk.leaf) {
  const found = [];
  for (let id = leaf; talk.nodes[id]; id = talk.nodes[id].parent) found.push(talk.nodes[id]);
  return found.reverse();
}

/** The messages of the open conversation by what they come after and who says them. */
const families = computed(() => {
  /** @type {Map<string, Message[]>} */
  const found = new Map();
  for (const one of Object.values(open.value.nodes)) {
    const key = `${one.role} ${one.parent}`;
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return found;
});

/** The messages that stand in the place of one: itself, and what was tried instead.
 * @param {Message} message */
export function siblings(message) {
  return families.value.get(`${message.role} ${message.parent}`) ?? [message];
}

export function fresh() {
  return Math.random().toString(36).slice(2, 10);
}

/** @param {unknown} problem */
export function told(problem) {
  return problem instanceof Error ? problem.message : String(problem);
}
