/** What is said in the conversation that is open, and what is answered.
 *
 * An answer is made by the server in the background, so it goes on when the page is closed; who comes back reads it from
 * its beginning, or finds it whole.
 */
import { ask, events, get, post, Refused } from "../../lib/api.js";
import { batch, computed, signal } from "../../lib/html.js";
import { model } from "../../lib/settings.js";
import { t } from "../../lib/words.js";
import { dropUnsent, keep, read, refresh } from "./archive.js";
import { request } from "./request.js";
import { blank, fresh, open, path, told, trouble } from "./talk.js";

/** @typedef {import("./talk.js").Conversation} Conversation */
/** @typedef {import("./talk.js").Message} Message */

/** The message that is being written: its id and what has come of it. */
export const live = signal(/** @type {{id: string, text: string, thought: string, note?: string} | null} */ (null));
/** Whether one is being written. */
export const busy = computed(() => live.value !== null);
/** What came of the last one, for those who hear the page. */
export const heard = signal("");

const TITLE = 60; // characters

let stopped = () => {};
/** The number of the conversation that was asked for last. */
let wanted = 0;

/** @param {number} id 0 for a new one */
export async function load(id) {
  if (open.value.id === id && (id || !open.value.leaf)) return;
  leave();
  trouble.value = "";
  wanted = id;
  if (!id) {
    open.value = blank();
    return;
  }
  const talk = await read(id);
  if (wanted !== id) return; // the person went on to another one
  open.value = talk;
  const last = talk.nodes[talk.leaf];
  if (last?.role === "assistant" && !last.response && !last.content && !last.error) change(last.id, { error: t("chat.stopped") }, false);
  if (last?.response) await resume(last, last.response);
}

/** Go on with an answer that was being written when the conversation was kept, or when the connection broke. One that has
 * ended since is not read out: the page may have been left at the very moment at which it was.
 * @param {Message} message @param {string} name of the response
 * @param {Partial<Message>} [lost] what becomes of it if the server knows it no more */
async function resume(message, name, lost = {}) {
  const here = () => open.value.nodes[message.id];
  const made = await get(`/v1/responses/${name}`).catch(() => null);
  if (!here()) return; // the person went elsewhere
  if (!["queued", "in_progress"].includes(made?.status)) finish(message.id, made ? whole(made) : lost, Boolean(lost.error));
  else {
    const reply = await ask("GET", `/v1/responses/${name}?stream=true`);
    if (here()) await follow(message, reply);
  }
}

/** What came of an answer that has ended.
 * @param {any} response @returns {Partial<Message>} */
function whole(response) {
  const said = (/** @type {string} */ kind) =>
    response.output
      .filter((/** @type {any} */ item) => item.type === kind)
      .flatMap((/** @type {any} */ item) => item.content.map((/** @type {any} */ part) => part.text))
      .join("");
  const facts = { content: said("message"), thought: said("reasoning") || undefined };
  return response.error ? { ...facts, error: response.error.message } : { ...facts, ...usage(response, 0) };
}

/** Stop watching the answer that is written; the server goes on with it. */
function leave() {
  stopped();
  live.value = null;
  heard.value = "";
}

/** Say something after a message, and have it answered.
 * @param {string} content @param {string} parent @param {import("./files.js").Attached[]} [files] */
export async function say(content, parent, files = []) {
  const id = fresh();
  const talk = { ...open.value, nodes: { ...open.value.nodes }, leaf: id };
  talk.nodes[id] = files.length ? { id, parent, role: "user", content, files } : { id, parent, role: "user", content };
  if (!talk.title) talk.title = headed(content || files[0].name);
  open.value = talk;
  await answer(id);
}

/** Put other words into the place of an answer, as a branch of its own.
 * @param {string} content @param {Message} message */
export function reword(content, message) {
  const id = fresh();
  const { model: by, parent } = message;
  set({ nodes: { ...open.value.nodes, [id]: { id, parent, role: "assistant", content, model: by } }, leaf: id });
}

/** The first words of a text.
 * @param {string} text */
function headed(text) {
  const line = text.trim().split("\n")[0];
  return line.length > TITLE ? `${line.slice(0, TITLE).replace(/\s+\S*$/, "")}…` : line;
}

/** Have a message of the person answered, once more or for the first time.
 * @param {string} parent */
export async function answer(parent) {
  trouble.value = "";
  const id = fresh();
  const talk = { ...open.value, nodes: { ...open.value.nodes }, leaf: id };
  /** @type {Message} */
  const message = { id, parent, role: "assistant", content: "", model: model.value };
  talk.nodes[id] = message;
  open.value = talk;
  live.value = { id, text: "", thought: "" };
  keep(); // before anything else: who closes the page now finds the question again
  const tell = (/** @type {string} */ note) => live.value?.id === id && (live.value = { ...live.value, note });
  try {
    const { input, sent } = await request(path(talk, parent), talk.system, message.model ?? "", talk.sampling, tell);
    if (live.value?.id !== id) return; // the person went elsewhere while it was being prepared, or stopped it
    change(parent, { sent }, false);
    const body = { model: message.model, input, stream: true, background: true, ...talk.sampling };
    const reply = await ask("POST", "/v1/responses", talk.system ? { ...body, instructions: talk.system } : body);
    await follow(message, reply);
  } catch (problem) {
    finish(id, { error: told(problem) });
  }
}

/** Milliseconds from one picture of an answer that grows to the next: every other one of the screen's. More are no
 * smoother to read, and take twice the processor. */
const BETWEEN = 30;
/** What an answer ends with, unless its connection broke. */
const ENDS = ["response.completed", "response.incomplete", "response.failed"];

/** Read what comes of an answer until it is whole.
 * @param {Message} message @param {Response} reply */
async function follow(message, reply) {
  const { id } = message;
  const flow = events(reply);
  let gone = false;
  stopped = () => {
    gone = true;
    flow.return(undefined);
  };
  let text = "";
  let thought = "";
  let began = 0;
  let drawn = false;
  let over = false;
  let due = 0;
  const draw = () => {
    drawn = false;
    due = performance.now() + BETWEEN;
    if (!gone && live.value?.id === id) live.value = { id, text, thought };
  };
  live.value = { id, text, thought };
  /** @type {Partial<Message>} */
  let end = {};
  try {
    for await (const event of flow) {
      if (gone) return;
      if (event.type === "response.created") change(id, { response: event.response.id }, true);
      else if (event.type === "response.output_text.delta") text += event.delta;
      else if (event.type === "response.reasoning_text.delta") thought += event.delta;
      else if (event.type === "response.failed") end = { error: event.response.error?.message ?? "" };
      if (["response.completed", "response.incomplete"].includes(event.type)) end = usage(event.response, began);
      over ||= ENDS.includes(event.type);
      if (event.delta && !began) began = performance.now();
      if (!drawn) {
        drawn = true;
        setTimeout(() => requestAnimationFrame(draw), Math.max(0, due - performance.now()));
      }
    }
    if (!over && !gone) throw new Refused(t("away.title"), 0);
  } catch (problem) {
    if (gone) return;
    end = { error: told(problem) };
    // A page that is left breaks its connections, too, a moment before it ends: the answer has not.
    const name = open.value.nodes[id]?.response;
    if (name) return resume(message, name, { content: text, thought: thought || undefined, ...end });
  }
  if (!gone) finish(id, { content: text, thought: thought || undefined, ...end });
}

/** @param {any} response @param {number} began @returns {Partial<Message>} */
function usage(response, began) {
  const tokens = response.usage?.output_tokens ?? 0;
  const seconds = (performance.now() - began) / 1000;
  const speed = began && tokens > 8 && seconds > 0.2 ? tokens / seconds : undefined;
  return { tokens, prompt: response.usage?.input_tokens, speed, cut: response.status === "incomplete" };
}

/** @param {string} id @param {Partial<Message>} facts @param {boolean} [aloud] whether those who hear the page are told */
function finish(id, facts, aloud = true) {
  batch(() => {
    change(id, { ...facts, response: undefined }, false);
    live.value = null;
    heard.value = aloud ? facts.error || facts.content || "" : "";
  });
  keep();
}

/** @param {string} id @param {Partial<Message>} facts @param {boolean} write */
function change(id, facts, write) {
  const talk = open.value;
  if (!talk.nodes[id]) return;
  open.value = { ...talk, nodes: { ...talk.nodes, [id]: { ...talk.nodes[id], ...facts } } };
  if (write) keep();
}

/** Break the answer off; what has come of it stays. */
export async function stop() {
  const message = live.value && open.value.nodes[live.value.id];
  if (message && !message.response && live.value?.note) finish(message.id, { error: t("chat.stopped") });
  if (message?.response) await post(`/v1/responses/${message.response}/cancel`, {}).catch(() => {});
}

/** @param {Partial<Conversation>} facts */
export function set(facts) {
  open.value = { ...open.value, ...facts };
  if (open.value.id) keep();
}

/** Walk to another branch: to the newest message under one.
 * @param {Message} message */
export function walk(message) {
  let leaf = message.id;
  for (;;) {
    const next = Object.values(open.value.nodes).filter((one) => one.parent === leaf);
    if (!next.length) break;
    leaf = next[next.length - 1].id;
  }
  set({ leaf });
}

/** Begin anew: somebody deleted all conversations. */
export async function forgotten() {
  leave();
  open.value = blank();
  dropUnsent();
  await refresh();
}
