/** How the page looks and speaks, what may leave this computer, where data lie, and what all of it is made of. */
import { get } from "../../lib/api.js";
import { html, useEffect, useState } from "../../lib/html.js";
import { Keys } from "../../lib/keys.js";
import { SIZES, THEMES, chosenLanguage, letterKeys, textSize, theme } from "../../lib/settings.js";
import { t } from "../../lib/words.js";
import { Licenses } from "./licenses.js";
import { Providers } from "./providers.js";
import { Storage } from "./storage.js";
import { Tokens } from "./tokens.js";

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
    get("/abierto/v1/status").then(
      (found) => tell(found.version),
      () => {},
    );
  }, []);
  return html`
    <section class="page" aria-label=${t("panel.settings")}>
      <h1>${t("panel.settings")}</h1>
      <${Choice} words="settings.language" value=${chosenLanguage} names=${Object.entries(NAMES)} />
      <${Choice} words="settings.theme" value=${theme} names=${THEMES.map((name) => [name, t(`settings.theme_${name}`)])} />
      <${Choice} words="settings.text" value=${textSize} names=${SIZES.map((name) => [name, t(`settings.text_${name}`)])} />
      <${Providers} />
      <${Tokens} />
      <${Storage} />
      <h2>${t("keys.title")}</h2>
      <${Choice} words="settings.letters" value=${letterKeys} names=${["on", "off"].map((name) => [name, t(`settings.letters_${name}`)])} />
      <${Keys} />
      <h2>${t("settings.about")}</h2>
      <p>Abierto ${version} · Apache-2.0</p>
      <p><a href="/studio/vendor/README.md" target="_blank">${t("settings.libraries")}</a>:</p>
      <ul class="sentences">
        ${LIBRARIES.map(([name, license]) => html`<li><a href=${`/studio/vendor/LICENSE-${name}`} target="_blank">${name}, ${license}</a></li>`)}
      </ul>
      <${Licenses} />
    </section>
  `;
}

/** @param {{words: string, value: import("../../vendor/signals-core.js").Signal<string>, names: string[][]}} props */
function Choice({ words, value, names }) {
  return html`<fieldset class="choice">
    <legend>${t(words)}</legend>
    ${names.map(
      ([name, said]) =>
        html`<label>
          <input type="radio" name=${words} value=${name} checked=${value.value === name} onChange=${() => (value.value = name)} />
          <span>${said}</span>
        </label>`,
    )}
  </fieldset>`;
}
