import { executeTemplate } from './execute.ts';
import { dockerFunctions, headerFunctions } from './functions.ts';
import { parseTemplate } from './parse.ts';
import type { Value } from './value.ts';

export interface Template {
  /** @throws {TemplateError} where the template does not fit `data` */
  render: (data: Value) => string;
  /** The same for the titles of a table's columns: functions leave them as they are. */
  renderHeader: (titles: Value) => string;
}

/**
 * Compiles a Go template with docker's functions.
 * @throws {TemplateError} when it is malformed, or uses what is not supported
 */
export function compileTemplate(source: string): Template {
  const functions = dockerFunctions();
  const nodes = parseTemplate(source, (name) => functions.has(name));
  return {
    render: (data) => executeTemplate(nodes, data, functions),
    renderHeader: (titles) => executeTemplate(nodes, titles, headerFunctions()),
  };
}
