/** Fetching models: begun, watched, stopped for a while, gone on with, given up. */
import { ask, events, get, post, Refused, remove } from "../../lib/api.js";
import { signal } from "../../lib/html.js";

/** By the name of the model, what is known of its pull. A pull that rests has the state `paused`. */
export const pulls = signal(/** @type {Record<string, any>} */ ({}));
/** Those that are to leave nothing behind. */
const givenUp = new Set();

/** What is known of the pull of a card, in whatever form its weights come.
 * @param {string} card */
export function pullOf(card) {
  const name = Object.keys(pulls.value).find((one) => one === card || one.startsWith(`${card}:`));
  return name ? pulls.value[name] : undefined;
}

/** @param {string} name @param {any} state undefined: nothing is known any more */
function set(name, state) {
  const { [name]: _, ...others } = pulls.value;
  pulls.value = state ? { ...others, [name]: state } : others;
}

/** Find what is fetched already, by whoever asked for it, and what arrived in part and rests. Raises Refused. */
export async function findPulls() {
  const [running, storage] = await Promise.all([get("/abierto/v1/pulls"), get("/abierto/v1/storage").catch(() => ({ begun: [] }))]);
  for (const { name, bytes } of storage.begun) {
    if (!pulls.value[name]) set(name, { model: name, state: "paused", done: bytes, total: null });
  }
  for (const state of running.pulls) {
    const over = ["done", "failed", "cancelled"].includes(state.state);
    if (!over && (pulls.value[state.model]?.state ?? "paused") === "paused") follow(state, () => {}).catch(() => {});
  }
}

/** Fetch a model, or go on with it; resolves when it is there, or rests. Raises Refused.
 * @param {string} name @param {(state: {done: number, total: number}) => void} [told] */
export async function pull(name, told = () => {}) {
  await follow(await post("/abierto/v1/pulls", { model: name }), told);
}

/** @param {any} state @param {(state: {done: number, total: number}) => void} told */
async function follow(state, told) {
  const name = state.model;
  set(name, state);
  try {
    for await (const event of events(await ask("GET", `/abierto/v1/pulls/${state.id}/events`))) {
      state = event;
      set(name, state);
      told({ done: state.done ?? 0, total: state.total ?? 0 });
    }
  } catch (problem) {
    set(name, undefined);
    throw problem;
  }
  if (givenUp.delete(name)) await forget(name);
  else set(name, state.state === "cancelled" ? { ...state, state: "paused" } : undefined);
  if (state.error) throw new Refused(state.error.message, 0, state.error.code);
}

/** Let a pull rest; what has arrived is kept.
 * @param {any} state */
export async function pause(state) {
  await remove(`/abierto/v1/pulls/${state.id}`);
}

/** Give a pull up; what has arrived is deleted.
 * @param {any} state */
export async function giveUp(state) {
  if (state.state === "paused") return forget(state.model);
  givenUp.add(state.model);
  await pause(state);
}

/** @param {string} name */
async function forget(name) {
  set(name, undefined);
  await post("/abierto/v1/models/remove", { model: name }).catch((problem) => {
    if (problem.status !== 404) throw problem; // nothing had arrived
  });
}
