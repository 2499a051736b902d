/** What the studio takes of DOMPurify. */
declare const purify: {
  addHook(name: "afterSanitizeAttributes", hook: (node: Element) => void): void;
  sanitize(text: string, rules: { ALLOWED_TAGS: string[]; ALLOWED_ATTR: string[]; ALLOWED_URI_REGEXP: RegExp }): string;
};
export default purify;
