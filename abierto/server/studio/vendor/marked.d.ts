/** What the studio takes of marked. */
export interface Token {
  type: string;
  raw: string;
}
export interface Extension {
  name: string;
  level: "block" | "inline";
  start(text: string): number | undefined;
  tokenizer(text: string): Token | undefined;
  renderer(token: any): string;
}
export class Marked {
  constructor(options: { extensions: Extension[]; renderer: { html(token: { text: string }): string } });
  lexer(text: string): Token[];
  parser(tokens: Token[]): string;
}
