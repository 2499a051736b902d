/** Runs beside the page, and opens it while the server is not there. Each version of the page has its own, under an
 * address that holds the hash of all files: what is kept here is never taken for another version, and the page itself
 * always comes from the server, if there is one.
 */
const worker = /** @type {any} */ (self);
const HERE = new URL("./", location.href);
const NAME = `abierto ${HERE.pathname}`;

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(gather()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(tidy()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.mode === "navigate" && pathname === "/") event.respondWith(page(event.request));
  else if (/^\/studio\/[0-9a-f]{16}\//.test(pathname)) event.respondWith(file(event.request));
});

async function gather() {
  const names = await (await fetch(new URL("files.json", HERE))).json();
  const kept = await caches.open(NAME);
  await kept.addAll(names.map((/** @type {string} */ name) => new URL(name, HERE).href));
  await worker.skipWaiting();
}

/** The version before stays, for pages that are still open. */
async function tidy() {
  const names = (await caches.keys()).filter((name) => name.startsWith("abierto "));
  await Promise.all(names.slice(0, -2).map((name) => caches.delete(name)));
}

/** @param {Request} request */
async function page(request) {
  try {
    return await fetch(request);
  } catch (problem) {
    const kept = await caches.match(new URL("index.html", HERE), { ignoreVary: true });
    if (kept) return kept;
    throw problem;
  }
}

/** A file under the hash of its version: it cannot have changed.
 * @param {Request} request */
async function file(request) {
  return (request.cache === "no-store" ? undefined : await caches.match(request, { ignoreVary: true })) ?? fetch(request);
}
