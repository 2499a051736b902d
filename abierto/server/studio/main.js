/** Starts the page: the language, then the frame with the panel that the address names. */
import { away, back } from "./lib/away.js";
import { effect, html, render, signal } from "./lib/html.js";
import { locked, useToken } from "./lib/api.js";
import { Icon } from "./lib/icons.js";
import { Help, helping, pressed } from "./lib/keys.js";
import { chosenLanguage } from "./lib/settings.js";
import { language, speak, t } from "./lib/words.js";
import { PANELS } from "./panels.js";
import { Conversations } from "./panels/chat/sidebar.js";

const ICON = new URL("icon.svg", import.meta.url).href;
const place = signal(location.hash.slice(1));
const menu = signal(false);

addEventListener("hashchange", () => {
  place.value = location.hash.slice(1);
  menu.value = false;
});
addEventListener("keydown", (event) => pressed(event, PANELS.map((one) => one.name)));

function Gate() {
  const enter = (/** @type {any} */ event) => {
    event.preventDefault();
    useToken(new FormData(event.target).get("token")?.toString().trim() ?? "");
  };
  return html`<form class="gate" onSubmit=${enter}>
    <h1>${t("gate.title")}</h1>
    <label class="field">${t("gate.token")} <input name="token" type="password" autocomplete="off" required /></label>
    <button class="button">${t("gate.enter")}</button>
    <p class="hint">${t("gate.how")}</p>
  </form>`;
}

/** The panel that the address names. */
function current() {
  return PANELS.find((one) => one.name === place.value.split("/")[0]) ?? PANELS[0];
}

function Frame() {
  if (locked.value) return html`<main id="main"><${Gate} /></main>`;
  const rest = place.value.split("/").slice(1);
  const panel = current();
  const View = panel.view;
  return html`
    <a class="skip" href="#main" onClick=${skip}>${t("skip")}</a>
    <div class="frame" data-menu=${menu.value}>
      <header class="bar">
        <button class="quiet" aria-expanded=${menu.value} aria-controls="side" onClick=${() => (menu.value = !menu.value)}>
          <${Icon} name="menu" /><span class="hidden">${t("menu")}</span>
        </button>
        <span class="brand">Abierto</span>
      </header>
      <aside id="side">
        <a class="brand" href="#chat"><img src=${ICON} alt="" width="24" height="24" /> Abierto</a>
        <nav aria-label=${t("panels")}>
          ${PANELS.map(
            (one) => html`<a href=${`#${one.name}`} aria-current=${one === panel ? "page" : undefined}>
              <${Icon} name=${one.icon} />${t(`panel.${one.name}`)}
            </a>`,
          )}
        </nav>
        <${Conversations} key=${back.value} current=${panel.name === "chat" ? rest[0] : ""} />
        <button class="quiet" onClick=${() => (helping.value = true)}><${Icon} name="keys" />${t("keys.title")} <kbd>?</kbd></button>
      </aside>
      <div class="veil" onClick=${() => (menu.value = false)}></div>
      <main id="main" tabindex="-1">
        ${away.value && html`<p class="trouble away" role="alert"><strong>${t("away.title")}</strong> ${t("away.how")}</p>`}
        <${View} key=${back.value} rest=${rest} />
      </main>
    </div>
    <${Help} />
  `;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

await speak(chosenLanguage.value);
effect(() => {
  document.title = `${t(`panel.${current().name}`)} · Abierto`;
});
effect(() => {
  if (chosenLanguage.value !== language.peek()) speak(chosenLanguage.value);
});
render(html`<${Frame} />`, /** @type {Element} */ (document.getElementById("app")));

// When everything is there: what the worker keeps is then taken from what the browser has already.
const free = window.requestIdleCallback ?? ((/** @type {() => void} */ work) => setTimeout(work, 1000));
free(() => navigator.serviceWorker?.register(new URL("worker.js", import.meta.url), { scope: "/" }).catch(() => {}));
