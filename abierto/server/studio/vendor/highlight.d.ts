/** What the studio takes of highlight.js. */
declare const highlight: {
  getLanguage(name: string): object | undefined;
  highlight(code: string, options: { language: string }): { value: string };
};
export default highlight;
