/** What is too large for localStorage, kept in this browser by name. */

const SHELF = "kept";

/** @returns {Promise<IDBDatabase>} */
function opened() {
  return new Promise((done, fail) => {
    const asked = indexedDB.open("abierto", 1);
    asked.onupgradeneeded = () => asked.result.createObjectStore(SHELF);
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  });
}

/** @param {IDBTransactionMode} mode @param {(shelf: IDBObjectStore) => IDBRequest} deed @returns {Promise<any>} */
async function work(mode, deed) {
  const database = await opened();
  return new Promise((done, fail) => {
    const asked = deed(database.transaction(SHELF, mode).objectStore(SHELF));
    asked.onsuccess = () => done(asked.result);
    asked.onerror = () => fail(asked.error);
  }).finally(() => database.close());
}

/** Keep a value under a name; one that is empty is forgotten. A browser that keeps nothing loses it on a reload.
 * @param {string} name @param {unknown[]} value */
export function keep(name, value) {
  const deed = value.length
    ? (/** @type {IDBObjectStore} */ shelf) => shelf.put(value, name)
    : (/** @type {IDBObjectStore} */ shelf) => shelf.delete(name);
  return work("readwrite", deed).catch(() => {});
}

/** What is kept under a name.
 * @param {string} name @returns {Promise<any[]>} */
export function kept(name) {
  return work("readonly", (shelf) => shelf.get(name)).then(
    (found) => found ?? [],
    () => [],
  );
}
