/** The same, as it is bound to preact. */
export * from "./signals-core.js";
