/** A template that cannot be parsed, or does not fit its data. The message is in the words of Go's text/template. */
export class TemplateError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'TemplateError';
  }
}
