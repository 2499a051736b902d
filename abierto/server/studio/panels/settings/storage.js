/** What is kept on this disk: where, how much, and to delete all or some of it. */
import { get, post, remove } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { number, size, t } from "../../lib/words.js";
import { forgotten } from "../chat/store.js";

const ROWS = ["conversations", "lines", "runs", "pulls", "tunings"];

export function Storage() {
  const [found, tell] = useState(/** @type {any} */ (null));
  const [models, know] = useState(/** @type {any[]} */ ([]));
  const [trouble, fail] = useState("");
  const look = async () => {
    tell(await get("/abierto/v1/storage"));
    const all = (await get("/abierto/v1/models")).models;
    know(
      all.filter((/** @type {any} */ one) => one.size && !one.owner).map((/** @type {any} */ one) => ({ name: one.name, bytes: one.size })),
    );
  };
  useEffect(() => void look().catch((problem) => fail(problem.message)), []);
  const tried = (/** @type {Promise<any>} */ work) => {
    fail("");
    work.then(look).catch((problem) => fail(problem.message));
  };
  const erase = async (/** @type {string} */ part) => {
    await remove(`/abierto/v1/storage/${part}`);
    if (part === "conversations") await forgotten();
  };
  const gone = (/** @type {string} */ model) => post("/abierto/v1/models/remove", { model });
  const sure = (/** @type {string} */ what, /** @type {() => Promise<any>} */ deed) => {
    if (confirm(t("storage.question", { what }))) tried(deed());
  };
  const everything = async () => {
    for (const part of [...ROWS, "cache"]) await erase(part);
    for (const one of [...models, ...found.begun]) await gone(one.name);
    for (const name of Object.keys(localStorage))
      if (/^abierto\.(draft|edit)\.|^abierto\.(notebook|compare)$/.test(name)) localStorage.removeItem(name);
    indexedDB.deleteDatabase("abierto");
  };
  const line = (
    /** @type {string} */ what,
    /** @type {string} */ much,
    /** @type {() => Promise<any>} */ deed,
    /** @type {boolean} */ empty,
  ) =>
    html`<li>
      <strong>${what}</strong> <span class="hint">${much}</span>
      <button class="quiet danger" disabled=${empty} onClick=${() => sure(`${what} (${much})`, deed)}>
        ${t("storage.delete")}<span class="hidden"> ${what}</span>
      </button>
    </li>`;
  return html`
    <h2>${t("storage.title")}</h2>
    <p>${t("storage.what")}</p>
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    ${
      found &&
      html`<dl class="keys">
          <dt>${t("storage.folder")}</dt>
          <dd><code>${found.data}</code></dd>
          <dt>${t("storage.settings")}</dt>
          <dd><code>${found.settings}</code></dd>
          <dt>${t("storage.free")}</dt>
          <dd>${size(found.free)}</dd>
          <dt>${t("storage.journal")}</dt>
          <dd>${size(found.journal)}</dd>
          <dt>${t("storage.logs")}</dt>
          <dd>${size(found.logs)}</dd>
        </dl>
        <ul class="lines">
          ${ROWS.map((part) => line(t(`storage.${part}`), number(found.counts[part]), () => erase(part), !found.counts[part]))}
          ${line(t("storage.cache"), size(found.cache), () => erase("cache"), !found.cache)}
          ${models.map((one) => line(one.name, size(one.bytes), () => gone(one.name), false))}
          ${found.begun.map((/** @type {any} */ one) => line(t("storage.begun", { name: one.name }), size(one.bytes), () => gone(one.name), false))}
        </ul>
        <p>
          <button class="quiet danger framed" onClick=${() => sure(t("storage.everything"), everything)}>${t("storage.delete_all")}</button>
        </p>`
    }
  `;
}
