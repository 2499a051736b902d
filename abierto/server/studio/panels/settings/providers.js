/** Models on other computers: whether words may leave this one, the keys, and which of those models are to be offered. A key
 * is written, never read back. */
import { get, put, remove } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { choose, chosen } from "../../lib/models.js";
import { number, t } from "../../lib/words.js";

export function Providers() {
  const [found, tell] = useState(/** @type {any} */ (null));
  const [trouble, fail] = useState("");
  const look = () => get("/abierto/v1/remotes").then(tell, (problem) => fail(problem.message));
  useEffect(() => void look(), []);
  const tried = (/** @type {Promise<any>} */ work) => {
    fail("");
    return work.then(look, (problem) => fail(problem.message));
  };
  const allow = (/** @type {any} */ event) => {
    const allowed = event.target.checked;
    event.target.checked = found.allowed; // until the server says so
    if (!allowed || confirm(t("remote.question"))) tried(put("/abierto/v1/remotes", { allowed }));
  };
  return html`
    <h2>${t("remote.title")}</h2>
    <p>${t("remote.what")}</p>
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    ${
      found &&
      html`<label class="check"><input type="checkbox" checked=${found.allowed} onChange=${allow} /> ${t("remote.allow")}</label>
        <ul class="lines">
          ${found.remotes.map((/** @type {any} */ one) => html`<${Provider} key=${one.name} one=${one} allowed=${found.allowed} tried=${tried} />`)}
        </ul>`
    }
  `;
}

/** @param {{one: any, allowed: boolean, tried: (work: Promise<any>) => Promise<any>}} props */
function Provider({ one, allowed, tried }) {
  const [open, show] = useState(false);
  const path = `/abierto/v1/remotes/${encodeURIComponent(one.name)}/key`;
  const keep = (/** @type {any} */ event) => {
    event.preventDefault();
    const key = String(new FormData(event.target).get("key"));
    event.target.reset();
    tried(put(path, { key }));
  };
  const told = one.key ? t(`remote.key_${one.key}`) : t(one.own ? "remote.no_key_needed" : "remote.no_key");
  return html`<li>
    <strong>${one.name}</strong> <span class="hint">${one.host} · ${told}</span>
    ${
      one.key !== "environment" &&
      html`<form class="line" onSubmit=${keep}>
        <input
          name="key"
          type="password"
          autocomplete="off"
          required
          aria-label=${t("remote.key", { name: one.name })}
          placeholder=${t("remote.key", { name: one.name })}
        />
        <button class="quiet framed">${t(one.key ? "remote.replace" : "remote.keep")}<span class="hidden"> ${one.name}</span></button>
      </form>`
    }
    ${one.keys && !one.key && html`<a href=${one.keys} target="_blank" rel="noopener noreferrer">${t("remote.make")}</a>`}
    ${
      one.key &&
      one.key !== "environment" &&
      html`<button class="quiet danger" onClick=${() => tried(remove(path))}>${t("remote.forget", { name: one.name })}</button>`
    }
    ${
      allowed &&
      (one.key || one.own) &&
      html`<button class="quiet framed" aria-expanded=${open} onClick=${() => show(!open)}>
        ${t("remote.models", { name: one.name })}
      </button>`
    }
    ${open && html`<${Offered} provider=${one.name} />`}
  </li>`;
}

/** What a provider has, asked when a person wants to see it; what is ticked is offered wherever a model is chosen.
 * @param {{provider: string}} props */
function Offered({ provider }) {
  const [all, tell] = useState(/** @type {any[] | null} */ (null));
  const [words, search] = useState("");
  const [trouble, fail] = useState("");
  useEffect(() => {
    get(`/abierto/v1/remotes/${encodeURIComponent(provider)}/models`).then(
      (found) => tell(found.models),
      (problem) => fail(problem.message),
    );
  }, [provider]);
  if (trouble) return html`<p class="trouble" role="alert">${trouble}</p>`;
  if (!all) return html`<p class="hint" role="status">${t("remote.asking", { name: provider })}</p>`;
  const found = all.filter((one) => one.name.toLowerCase().includes(words.toLowerCase()));
  return html`<fieldset class="offered">
    <legend>${t("remote.offered", { name: provider })}</legend>
    <input
      type="search"
      aria-label=${t("remote.search")}
      placeholder=${t("remote.search")}
      value=${words}
      onInput=${(/** @type {any} */ event) => search(event.target.value)}
    />
    <ul>
      ${found.map(
        (one) =>
          html`<li>
            <label class="check">
              <input
                type="checkbox"
                checked=${chosen.value.includes(one.name)}
                onChange=${(/** @type {any} */ event) => tick(one.name, event.target.checked)}
              />
              ${one.name}
            </label>
            <span class="hint">${told(one)}</span>
          </li>`,
      )}
    </ul>
  </fieldset>`;
}

/** @param {string} name @param {boolean} wanted */
function tick(name, wanted) {
  const others = chosen.value.filter((one) => one !== name);
  choose(wanted ? [...others, name] : others);
}

/** @param {any} one */
function told(one) {
  const price =
    one.prompt_price == null
      ? ""
      : t("remote.price", { prompt: number(one.prompt_price, 3), completion: number(one.completion_price ?? 0, 3) });
  return [one.context ? t("chat.tokens", { used: number(one.context) }) : "", price].filter(Boolean).join(" · ");
}
