/** Every package that the server runs on, and every model that is here, with its licence. */
import { get } from "../../lib/api.js";
import { html, useState } from "../../lib/html.js";
import { t } from "../../lib/words.js";

export function Licenses() {
  const [rows, tell] = useState(/** @type {any[] | null} */ (null));
  const [trouble, fail] = useState("");
  const look = (/** @type {any} */ event) => {
    if (event.target.open && !rows)
      get("/abierto/v1/licenses").then(
        (found) => tell(found.licenses),
        (problem) => fail(problem.message),
      );
  };
  return html`<details class="section" onToggle=${look}>
    <summary>${t("settings.all_licenses")}</summary>
    ${trouble && html`<p class="trouble" role="alert">${trouble}</p>`}
    ${
      rows &&
      html`<div class="room" tabindex="0" role="region" aria-label=${t("settings.all_licenses")}>
        <table>
          <thead>
            <tr>
              <th>${t("settings.license_of")}</th>
              <th>${t("settings.license")}</th>
            </tr>
          </thead>
          <tbody>
            ${rows.map(
              (one) =>
                html`<tr>
                  <td>${one.name}</td>
                  <td>${one.license ?? t("settings.license_unknown")}</td>
                </tr>`,
            )}
          </tbody>
        </table>
      </div>`
    }
  </details>`;
}
