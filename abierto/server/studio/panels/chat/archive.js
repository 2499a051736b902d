/** Conversations as the server keeps them. What had not arrived there when the page was left waits in the browser. */
import { get, post, put, remove } from "../../lib/api.js";
import { signal } from "../../lib/html.js";
import { model } from "../../lib/settings.js";
import { blank, fresh, open, path, told, trouble } from "./talk.js";

/** @typedef {import("./talk.js").Conversation} Conversation */
/** @typedef {import("./talk.js").Message} Message */

export const list = signal(/** @type {any[]} */ ([]));
export const search = signal("");

export async function refresh() {
  const query = search.value.trim() ? `?search=${encodeURIComponent(search.value.trim())}` : "";
  list.value = (await get(`/abierto/v1/conversations${query}`)).conversations;
}

/** A conversation as it was left. Raises Refused.
 * @param {number} id @returns {Promise<Conversation>} */
export async function read(id) {
  await written(id);
  await bringBack(id);
  const kept = await get(`/abierto/v1/conversations/${id}`);
  return { ...blank(), id, title: kept.title, ...fromKept(kept) };
}

/** @param {any} kept */
function fromKept(kept) {
  const tree = kept.tree;
  const said = kept.messages.filter((/** @type {any} */ one) => one.role !== "system");
  const system = kept.messages.find((/** @type {any} */ one) => one.role === "system")?.content ?? "";
  if (tree?.nodes) {
    const walked = path({ ...blank(), ...tree });
    // Another program may have gone on with the conversation: then its words are the truth.
    if (walked.length === said.length && walked.every((one, index) => one.response || one.content === said[index].content)) {
      return { nodes: tree.nodes, leaf: tree.leaf, system, sampling: tree.sampling ?? {} };
    }
  }
  /** @type {Record<string, Message>} */
  const nodes = {};
  let leaf = "";
  for (const one of said) {
    const id = fresh();
    nodes[id] = { id, parent: leaf, role: one.role, content: one.content };
    leaf = id;
  }
  return { nodes, leaf, system, sampling: {} };
}

let writing = Promise.resolve();
/** What has not arrived at the server, by the key of its conversation. @type {Map<string, Conversation>} */
const waiting = new Map();
/** The numbers of those that began here, by their key. @type {Map<string, number>} */
const numbers = new Map();

/** Milliseconds from a writing that failed to the next one. A page that is left breaks its connections a moment before it
 * ends; without the pause it would begin the same conversation once more in that moment. */
const PAUSE = 1000;

/** Write the conversation down as it is now, one writing after the other. */
export function keep() {
  const talk = open.value;
  waiting.set(talk.key, talk);
  writing = writing.then(() => write(talk)).catch((problem) => {
    trouble.value = told(problem);
    return new Promise((done) => setTimeout(done, PAUSE));
  });
  return writing;
}

/** @param {Conversation} talk */
async function write(talk) {
  if (!talk.leaf || waiting.get(talk.key) !== talk) return; // what came of it later is written next
  const id = numberOf(talk);
  if (id) await put(`/abierto/v1/conversations/${id}`, body(talk));
  else await begin(talk);
  if (waiting.get(talk.key) === talk) waiting.delete(talk.key);
  await refresh();
}

/** @param {Conversation} talk that has no number */
async function begin(talk) {
  const { id } = await post("/abierto/v1/conversations", body(talk));
  numbers.set(talk.key, id);
  if (open.value.key !== talk.key) return; // the person went to another conversation meanwhile
  open.value = { ...open.value, id };
  if (["", "#chat"].includes(location.hash)) location.replace(`#chat/${id}`); // or to another panel
}

/** Wait until nothing of a conversation waits.
 * @param {number} id */
async function written(id) {
  if ([...waiting.values()].some((talk) => numberOf(talk) === id)) await writing;
}

/** @param {Conversation} talk */
function numberOf(talk) {
  return talk.id || numbers.get(talk.key);
}

/** A conversation as the server keeps it.
 * @param {Conversation} talk */
function body(talk) {
  const said = path(talk).map((one) => ({ role: one.role, content: one.content }));
  const messages = talk.system ? [{ role: "system", content: talk.system }, ...said] : said;
  const tree = { nodes: talk.nodes, leaf: talk.leaf, sampling: talk.sampling, key: talk.key };
  return { title: talk.title, model: model.value, messages, tree };
}

/** What had not arrived when the page was left: by the number of its conversation, or by its key if it had none. */
const UNSENT = "abierto.unsent.";
const BEGUN = `${UNSENT}begun.`;

/** @param {Conversation} talk */
function shelf(talk) {
  const id = numberOf(talk);
  return id ? UNSENT + id : BEGUN + talk.key;
}

addEventListener("pagehide", () => {
  for (const talk of waiting.values()) {
    try {
      if (talk.leaf) localStorage.setItem(shelf(talk), JSON.stringify(body(talk)));
    } catch {
      // It is larger than what the browser keeps for a page; what the server has stays.
    }
  }
});
// A page that the browser had put aside whole goes on writing by itself.
addEventListener("pageshow", (event) => {
  if (event.persisted) for (const talk of waiting.values()) localStorage.removeItem(shelf(talk));
});

const NEWEST = 5; // conversations: among these is one that had just begun

/** Send what was left before it had a number. The server may have begun the conversation all the same: then it has its
 * key. Who loaded the page anew is brought back to it. */
export async function settle() {
  for (const name of Object.keys(localStorage).filter((one) => one.startsWith(BEGUN))) {
    const left = localStorage.getItem(name) ?? "";
    localStorage.removeItem(name); // another page of the studio may open at this moment
    try {
      const id = await begunAs(JSON.parse(left));
      const [came] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
      const nowhere = ["", "#chat"].includes(location.hash) && !open.value.leaf;
      if (came?.type === "reload" && nowhere) location.replace(`#chat/${id}`);
      await refresh();
    } catch (problem) {
      localStorage.setItem(name, left);
      throw problem;
    }
  }
}

/** The number of a conversation that was left without one. Raises Refused.
 * @param {any} left @returns {Promise<number>} */
async function begunAs(left) {
  const { conversations } = await get("/abierto/v1/conversations");
  for (const { id } of conversations.slice(0, NEWEST)) {
    const { tree } = await get(`/abierto/v1/conversations/${id}`);
    if (tree?.key !== left.tree.key) continue;
    await put(`/abierto/v1/conversations/${id}`, left);
    return id;
  }
  return (await post("/abierto/v1/conversations", left)).id;
}

/** Send what had not arrived when a conversation was left. Raises Refused.
 * @param {number} id */
async function bringBack(id) {
  const left = localStorage.getItem(UNSENT + id);
  if (!left) return;
  await put(`/abierto/v1/conversations/${id}`, JSON.parse(left)).catch((problem) => {
    if (problem.status !== 404) throw problem; // one that was deleted meanwhile stays so
  });
  localStorage.removeItem(UNSENT + id);
}

/** @param {number} id */
export async function forget(id) {
  await remove(`/abierto/v1/conversations/${id}`);
  localStorage.removeItem(UNSENT + id);
  if (open.value.id === id) location.hash = "#chat";
  await refresh();
}

/** Nothing waits for the server any more: somebody deleted all conversations. */
export function dropUnsent() {
  waiting.clear();
  for (const key of Object.keys(localStorage)) if (key.startsWith(UNSENT)) localStorage.removeItem(key);
}

/** @param {number} id @param {string} title */
export async function rename(id, title) {
  await written(id); // or the title of before would be written after it
  await put(`/abierto/v1/conversations/${id}`, { title });
  if (open.value.id === id) open.value = { ...open.value, title };
  await refresh();
}

/** Put a conversation into a folder; "" takes it out of its own.
 * @param {number} id @param {string} folder */
export async function move(id, folder) {
  await put(`/abierto/v1/conversations/${id}`, { folder: folder || null });
  await refresh();
}
