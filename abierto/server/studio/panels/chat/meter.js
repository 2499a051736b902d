/** How much of the context is taken, with what is being typed, and how fast the last answer was. */
import { html, useEffect, useState } from "../../lib/html.js";
import { contextOf, findResidents } from "../../lib/models.js";
import { model } from "../../lib/settings.js";
import { number, t } from "../../lib/words.js";
import { count } from "./count.js";
import { worded } from "./files.js";
import { live } from "./store.js";
import { open, path } from "./talk.js";

const NEARLY = 0.8; // of the context: from there on a person is warned
const PAUSE = 400; // milliseconds without a key before what was typed is counted

/** @param {{last: any, text: string, files: import("./files.js").Attached[]}} props */
export function Meter({ last, text, files }) {
  const [typed, tell] = useState(0);
  const writing = live.value !== null;
  useEffect(() => {
    if (!writing) findResidents().catch(() => {});
  }, [writing, model.value]);
  const context = contextOf(model.value);
  const draft = Boolean(text.trim() || files.length);
  useEffect(() => {
    tell(0);
    // Counting would load a model that is not there: not for a letter that somebody types.
    if (!draft || !context || writing) return;
    const late = setTimeout(() => {
      const talk = open.value;
      const said = [...path(talk), { role: "user", content: text, files }];
      const messages = said.map((one) => ({ role: one.role, content: worded(one) }));
      count(model.value, talk.system, messages).then(tell, () => {});
    }, PAUSE);
    return () => clearTimeout(late);
  }, [text, files, context, writing, open.value.leaf]);
  const used = (draft && typed) || (last?.prompt ?? 0) + (last?.tokens ?? 0);
  if (!used) return html`<p class="under">${t("chat.keys")}</p>`;
  const told = [context ? t("chat.tokens_of", { used: number(used), context: number(context) }) : t("chat.tokens", { used: number(used) })];
  if (last?.speed && !typed) told.push(t("chat.speed", { speed: number(last.speed, 1) }));
  const warning = context ? warned(used, context, files, typed > 0) : "";
  return html`<div class=${warning ? "under warned" : "under"}>
    ${
      context > 0 &&
      html`<meter
        aria-label=${t("chat.context")}
        min="0"
        max=${context}
        low=${NEARLY * context}
        high=${NEARLY * context}
        optimum="0"
        value=${used}
      ></meter>`
    }
    <span>${told.join(" · ")}</span>
    ${warning && html`<strong role="status">${warning}</strong>`}
  </div>`;
}

/** @param {number} used @param {number} context @param {import("./files.js").Attached[]} files @param {boolean} typed */
function warned(used, context, files, typed) {
  if (used <= NEARLY * context) return "";
  if (files.some((one) => one.text !== undefined)) return t("chat.will_choose");
  return t(typed && used >= context ? "chat.too_full" : "chat.nearly_full");
}
