/** Tokens for other devices: made, listed, taken back. */
import { get, post, remove } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { number, t, when } from "../../lib/words.js";

export function Tokens() {
  const [found, tell] = useState(/** @type {any} */ (null));
  const [made, show] = useState(/** @type {{name: string, token: string} | null} */ (null));
  const [trouble, fail] = useState("");
  const look = () => get("/abierto/v1/tokens").then(tell, (problem) => fail(problem.message));
  useEffect(() => void look(), []);
  const tried = (/** @type {Promise<any>} */ work) => {
    fail("");
    return work.then(
      (answer) => (look(), answer),
      (problem) => fail(problem.message),
    );
  };
  const add = async (/** @type {any} */ event) => {
    event.preventDefault();
    const form = event.target;
    const facts = new FormData(form);
    const body = { name: String(facts.get("name")).trim(), per_minute: Number(facts.get("per_minute") || 0) };
    const answer = await tried(post("/abierto/v1/tokens", body));
    if (!answer) return;
    show(answer);
    form.reset();
  };
  return html`
    <h2>${t("tokens.title")}</h2>
    <p>${t("tokens.what")}</p>
    ${found && !found.reached && html`<p class="hint">${t("tokens.alone")}</p>`}
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    ${
      made &&
      html`<div class="told" role="status">
        <p>${t("tokens.made", { name: made.name })}</p>
        <p class="line">
          <code>${made.token}</code>
          <button class="quiet framed" onClick=${() => navigator.clipboard.writeText(made.token)}>${t("chat.copy")}</button>
          <button class="quiet" onClick=${() => show(null)}>${t("tokens.hide")}</button>
        </p>
      </div>`
    }
    ${
      found?.tokens.length > 0 &&
      html`<ul class="lines">
        ${found.tokens.map(
          (/** @type {any} */ one) =>
            html`<li>
              <strong>${one.name}</strong>
              <span class="hint"
                >${when(one.created)} ·
                ${one.per_minute ? t("tokens.limit", { count: number(one.per_minute) }) : t("tokens.no_limit")}</span
              >
              <button class="quiet danger" onClick=${() => tried(remove(`/abierto/v1/tokens/${encodeURIComponent(one.name)}`))}>
                ${t("tokens.remove", { name: one.name })}
              </button>
            </li>`,
        )}
      </ul>`
    }
    ${
      found &&
      html`<form class="line" onSubmit=${add}>
        <label class="field"
          >${t("tokens.name")} <input name="name" required pattern="[A-Za-z0-9][A-Za-z0-9_.@\\-]*" maxlength="64" autocomplete="off"
        /></label>
        <label class="field">${t("tokens.per_minute")} <input name="per_minute" type="number" min="0" step="1" /></label>
        <button class="button">${t("tokens.add")}</button>
      </form>`
    }
  `;
}
