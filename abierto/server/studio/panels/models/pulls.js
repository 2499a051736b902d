/** Fetching a model, with what has arrived so far. */
import { ask, events, post, Refused, remove } from "../../lib/api.js";
import { signal } from "../../lib/html.js";

/** By the name of the model, what is known of its pull. */
export const pulls = signal(/** @type {Record<string, any>} */ ({}));

/** Fetch a model; resolves when it is there. Raises Refused.
 * @param {string} name @param {(state: {done: number, total: number}) => void} [told] */
export async function pull(name, told = () => {}) {
  let state = await post("/abierto/v1/pulls", { model: name });
  pulls.value = { ...pulls.value, [name]: state };
  for await (const event of events(await ask("GET", `/abierto/v1/pulls/${state.id}/events`))) {
    state = event;
    pulls.value = { ...pulls.value, [name]: state };
    told({ done: state.done ?? 0, total: state.total ?? 0 });
  }
  const { [name]: _, ...others } = pulls.value;
  pulls.value = others;
  if (state.error) throw new Refused(state.error.message ?? state.error, 0, state.error.code);
}

/** Break a pull off; what has arrived is kept for the next time.
 * @param {string} name */
export async function pause(name) {
  const state = pulls.value[name];
  if (state) await remove(`/abierto/v1/pulls/${state.id}`);
}
