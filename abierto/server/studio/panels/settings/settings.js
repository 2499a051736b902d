/** How the page looks and speaks, where data lie, and what it is made of. */
import { get } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { SIZES, THEMES, chosenLanguage, textSize, theme } from "../../lib/settings.js";
import { t } from "../../lib/words.js";
import { forget, list } from "../chat/store.js";

const LIBRARIES = [
  ["preact", "MIT"],
  ["signals", "MIT"],
  ["htm", "Apache-2.0"],
  ["marked", "MIT"],
  ["dompurify", "Apache-2.0"],
  ["highlight", "BSD-3-Clause"],
  ["temml", "MIT"],
];
const NAMES = { en: "English", es: "Español" };

export function Settings() {
  const [version, tell] = useState("");
  useEffect(() => {
    get("/abierto/v1/status").then((found) => tell(found.version), () => {});
  }, []);
  const forgetAll = async () => {
    if (!confirm(t("settings.forget_question", { count: list.value.length }))) return;
    for (const one of list.value) await forget(one.id);
  };
  return html`
    <section class="page" aria-label=${t("panel.settings")}>
      <h1>${t("panel.settings")}</h1>
      <${Choice} words="settings.language" value=${chosenLanguage} names=${Object.entries(NAMES)} />
      <${Choice} words="settings.theme" value=${theme} names=${THEMES.map((name) => [name, t(`settings.theme_${name}`)])} />
      <${Choice} words="settings.text" value=${textSize} names=${SIZES.map((name) => [name, t(`settings.text_${name}`)])} />
      <h2>${t("settings.data")}</h2>
      <p>${t("settings.data_where")}</p>
      <p><button class="quiet danger" disabled=${!list.value.length} onClick=${forgetAll}>${t("settings.forget")}</button></p>
      <h2>${t("settings.keys")}</h2>
      <dl class="keys">
        <dt><kbd>Enter</kbd></dt><dd>${t("settings.key_send")}</dd>
        <dt><kbd>Shift</kbd> <kbd>Enter</kbd></dt><dd>${t("settings.key_line")}</dd>
        <dt><kbd>Esc</kbd></dt><dd>${t("settings.key_stop")}</dd>
      </dl>
      <h2>${t("settings.about")}</h2>
      <p>Abierto ${version} · Apache-2.0</p>
      <p><a href="/studio/vendor/README.md" target="_blank">${t("settings.libraries")}</a>:</p>
      <ul class="sentences">
        ${LIBRARIES.map(([name, license]) => html`<li><a href=${`/studio/vendor/LICENSE-${name}`} target="_blank">${name}, ${license}</a></li>`)}
      </ul>
      <p class="hint">${t("settings.all_licenses")}</p>
    </section>
  `;
}

/** @param {{words: string, value: import("../../vendor/signals-core.js").Signal<string>, names: string[][]}} props */
function Choice({ words, value, names }) {
  return html`<fieldset class="choice">
    <legend>${t(words)}</legend>
    ${names.map(
      ([name, said]) => html`<label>
        <input type="radio" name=${words} value=${name} checked=${value.value === name} onChange=${() => (value.value = name)} />
        <span>${said}</span>
      </label>`,
    )}
  </fieldset>`;
}
