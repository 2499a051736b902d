/** What a newcomer sees: one button to a first answer, and some questions to begin with. */
import { html, useState } from "../../lib/html.js";
import { findModels, known, leaves, models } from "../../lib/models.js";
import { model } from "../../lib/settings.js";
import { size, t } from "../../lib/words.js";
import { pull } from "../models/pulls.js";
import { say } from "./store.js";
import { open, told } from "./talk.js";

const STARTER = "smollm2:135m";
const IDEAS = ["idea_explain", "idea_letter", "idea_story"];

export function Welcome() {
  const [progress, tell] = useState("");
  const [failed, fail] = useState("");
  const real = models.value.some((one) => one.format !== "none");
  const begin = async () => {
    fail("");
    try {
      await pull(STARTER, (state) => tell(state.total ? `${size(state.done)} / ${size(state.total)}` : ""));
      await findModels();
      model.value = STARTER;
      await say(t("chat.idea_explain"), open.value.leaf);
    } catch (problem) {
      fail(told(problem));
    }
    tell("");
  };
  return html`<div class="welcome">
    <h2>${t("chat.welcome")}</h2>
    <p>${leaves(model.value) ? t("chat.leaves_why") : t("chat.private")}</p>
    ${known.value && (real ? html`<${Ideas} />` : html`<${First} progress=${progress} begin=${begin} />`)}
    ${failed && html`<p class="trouble" role="alert">${failed}</p>`}
  </div>`;
}

/** Questions to begin with. */
function Ideas() {
  return html`<ul class="ideas">
    ${IDEAS.map(
      (name) => html`<li>
        <button class="idea" onClick=${() => say(t(`chat.${name}`), open.value.leaf)}>${t(`chat.${name}`)}</button>
      </li>`,
    )}
  </ul>`;
}

/** The way to a first model.
 * @param {{progress: string, begin: () => void}} props */
function First({ progress, begin }) {
  return html`<button class="button large" disabled=${Boolean(progress)} onClick=${begin}>
      ${progress || t("chat.begin", { model: STARTER })}
    </button>
    <p class="hint">${t("chat.begin_hint")}</p>`;
}
