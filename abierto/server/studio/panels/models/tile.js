/** A model that is on this computer, and what can be done with it. */
import { post } from "../../lib/api.js";
import { html, useState } from "../../lib/html.js";
import { residents } from "../../lib/models.js";
import { model as chosen } from "../../lib/settings.js";
import { size, t } from "../../lib/words.js";
import { tried } from "./shelf.js";

/** @param {{one: any}} props */
export function Here({ one }) {
  const loaded = residents.value.find((resident) => resident.model === one.name);
  const [busy, work] = useState(false);
  const act = (/** @type {string} */ deed, /** @type {object} */ more = {}) => {
    work(true);
    tried(post(`/abierto/v1/models/${deed}`, { model: one.name, ...more })).then(() => work(false));
  };
  const page = `#models/${encodeURIComponent(one.name)}`;
  return html`<li class="tile">
    <h3><a href=${page}>${one.name}</a></h3>
    <p class="hint">${[one.size ? size(one.size) : t("models.built_in"), one.quantization, one.license].filter(Boolean).join(" · ")}</p>
    <p class=${loaded ? "state on" : "state"}>${loaded ? taken(loaded) : t("models.not_loaded")}</p>
    <div class="deeds">
      ${one.task === "chat" && html`<a class="button" href="#chat" onClick=${() => (chosen.value = one.name)}>${t("models.talk")}</a>`}
      ${
        loaded
          ? html`<button class="quiet" disabled=${busy} onClick=${() => act("unload")}>${t("models.unload")}</button>
              <button class="quiet" aria-pressed=${loaded.pinned} disabled=${busy} onClick=${() => act("pin", { pinned: !loaded.pinned })}>
                ${t(loaded.pinned ? "models.unpin" : "models.pin")}
              </button>`
          : html`<button class="quiet" disabled=${busy} onClick=${() => act("load", { task: one.task })}>
              ${t(busy ? "models.loading" : "models.load")}
            </button>`
      }
      ${one.task === "chat" && html`<a class="quiet" href=${page}>${t("models.tune")}</a>`}
      ${
        one.format !== "none" &&
        !one.owner &&
        one.size > 0 &&
        html`<button
          class="quiet danger"
          disabled=${busy}
          onClick=${() => confirm(t("models.remove_question", { name: one.name, size: size(one.size) })) && act("remove")}
        >
          ${t("models.remove")}
        </button>`
      }
    </div>
  </li>`;
}

/** The memory that a loaded model takes, as the system counts it, beside what was foretold.
 * @param {any} loaded */
function taken(loaded) {
  if (!loaded.memory) return t("models.loading");
  const gaps = { memory: size(loaded.memory), estimate: loaded.estimate ? size(loaded.estimate) : "" };
  return `${t(loaded.estimate ? "models.loaded_foretold" : "models.loaded", gaps)} · ${loaded.engine}`;
}
