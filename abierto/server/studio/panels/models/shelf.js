/** What is on this computer, for all views of the models; and what went wrong with it. */
import { get } from "../../lib/api.js";
import { signal } from "../../lib/html.js";
import { residents } from "../../lib/models.js";

export const here = signal(/** @type {any[]} */ ([]));
export const trouble = signal("");

export async function look() {
  const [models, status] = await Promise.all([get("/abierto/v1/models"), get("/abierto/v1/status")]);
  here.value = models.models;
  residents.value = status.residents;
}

/** Do something, tell what went wrong with it, and look again.
 * @param {Promise<unknown>} work */
export function tried(work) {
  trouble.value = "";
  return work.catch((problem) => (trouble.value = problem.message)).then(() => look().catch(() => {}));
}

/** Whether a model of the catalogue is on this computer.
 * @param {string} name */
export function isHere(name) {
  return here.value.some((one) => one.name === name || one.name.startsWith(`${name}:`));
}
