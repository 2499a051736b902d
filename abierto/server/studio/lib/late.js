/** Views that are fetched when they are first shown. */
import { watch } from "./away.js";
import { html, signal, useEffect } from "./html.js";

/** @param {() => Promise<unknown>} fetched */
export function late(fetched) {
  const view = signal(/** @type {unknown} */ (null));
  return function Late(/** @type {Record<string, unknown>} */ props) {
    useEffect(() => {
      fetched().then((found) => (view.value = found), watch);
    }, []);
    return view.value ? html`<${view.value} ...${props} />` : null;
  };
}
