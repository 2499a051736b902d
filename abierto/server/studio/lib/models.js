/** The models that can be talked to: those of this computer, and those on others that the person chose in the settings. */
import { get } from "./api.js";
import { html, signal } from "./html.js";
import { model } from "./settings.js";
import { t } from "./words.js";

const CHOSEN = "abierto.remote";

/** Models that answer; those on other computers have the format `remote`. */
export const models = signal(/** @type {any[]} */ ([]));
/** Whether the server has told them yet. */
export const known = signal(false);
/** Models that are loaded, as the server tells them. */
export const residents = signal(/** @type {any[]} */ ([]));
/** Names of models on other computers that the person chose to have here. */
export const chosen = signal(/** @type {string[]} */ (JSON.parse(localStorage.getItem(CHOSEN) ?? "[]")));

/** @param {string[]} names */
export function choose(names) {
  chosen.value = names;
  localStorage.setItem(CHOSEN, JSON.stringify(names));
}

/** Look which models there are. Raises Refused. */
export async function findModels() {
  const here = (await get("/abierto/v1/models")).models.filter((/** @type {any} */ one) => one.task === "chat");
  models.value = [...here, ...(chosen.value.length ? await away() : [])];
  if (!models.value.some((one) => one.name === model.value)) {
    model.value = (here.find((/** @type {any} */ one) => one.format !== "none") ?? here[0])?.name ?? "";
  }
  known.value = true;
}

/** Look which models are loaded. Raises Refused. */
export async function findResidents() {
  residents.value = (await get("/abierto/v1/status")).residents;
}

/** How many tokens a conversation with a model may hold; 0 before it is loaded.
 * @param {string} name */
export function contextOf(name) {
  return residents.value.find((one) => one.model === name)?.context ?? 0;
}

/** Those of the chosen ones that can be reached: there is a key, and words may leave. */
async function away() {
  const { allowed, remotes } = await get("/abierto/v1/remotes").catch(() => ({ allowed: false, remotes: [] }));
  const open = remotes.filter((/** @type {any} */ one) => one.key || one.own).map((/** @type {any} */ one) => one.name);
  const found = allowed ? chosen.value.filter((name) => open.includes(name.split("/")[0])) : [];
  return found.map((name) => ({ name, task: "chat", format: "remote", engines: [] }));
}

/** Whether what is said to a model leaves this computer.
 * @param {string} name */
export function leaves(name) {
  return models.value.some((one) => one.name === name && one.format === "remote");
}

/** The models to choose from.
 * @param {{value: string, pick: (name: string) => void, label: string, off?: boolean, kind?: string}} props */
export function Pick({ value, pick, label, off = false, kind = "" }) {
  const [here, away] = [models.value.filter((one) => one.format !== "remote"), models.value.filter((one) => one.format === "remote")];
  const option = (/** @type {any} */ one) => html`<option value=${one.name} selected=${one.name === value}>${one.name}</option>`;
  return html`<select
    class=${kind}
    aria-label=${label}
    data-key="m"
    aria-keyshortcuts="m"
    disabled=${off}
    onChange=${(/** @type {any} */ event) => pick(event.target.value)}
  >
    ${
      away.length
        ? html`<optgroup label=${t("models.here")}>${here.map(option)}</optgroup>
            <optgroup label=${t("models.away")}>${away.map(option)}</optgroup>`
        : here.map(option)
    }
  </select>`;
}
