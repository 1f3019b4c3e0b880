import { stringFlag } from './flags.ts';
import type { Flag } from './flags.ts';
import { compileTemplate } from './go-template/template.ts';
import { printValue } from './go-template/print-value.ts';
import { makeStruct } from './go-template/value.ts';
import type { StructValue } from './go-template/value.ts';
import { alignColumns } from './table-writer.ts';

export const formatFlag: Flag<string | undefined> = stringFlag({
  about: [
    'Format output using a custom template:',
    "'table':            Print output in table format with column headers (default)",
    "'table TEMPLATE':   Print output in table format using the given Go template",
    "'json':             Print in JSON format",
    "'TEMPLATE':         Print output using the given Go template.",
  ].join('\n'),
});

export interface Rows {
  /** `json`, `table TEMPLATE` or `TEMPLATE`, as `--format` takes it. */
  format: string;
  rows: StructValue[];
  /** Column titles by field name. */
  titles: Readonly<Record<string, string>>;
}

/**
 * A list in docker's output formats: a line for each row, under a header where `format` starts with `table`.
 * Source: https://github.com/docker/cli/blob/v29.0.0/cli/command/formatter/formatter.go.
 * @throws {TemplateError} when the template is malformed or does not fit the rows
 */
export function formatRows({ format, rows, titles }: Rows): string {
  const isTable = format.startsWith('table');
  const template = compileTemplate(templateSource(format, isTable));
  const body = rows.map((row) => `${template.render(row)}\n`).join('');
  return isTable ? alignColumns(`${template.renderHeader(header(titles))}\n${body}`) : body;
}

function templateSource(format: string, isTable: boolean): string {
  if (format === 'json') return '{{json .}}';
  const source = isTable ? format.slice('table'.length) : format;
  return source
    .replace(/^ +| +$/g, '')
    .replaceAll('\\t', '\t')
    .replaceAll('\\n', '\n');
}

function header(titles: Readonly<Record<string, string>>): StructValue {
  const fields = Object.entries(titles).map(([name, title]) => [name, () => title] as const);
  return makeStruct('header', { ...Object.fromEntries(fields), Label: (key) => labelTitle(printValue(key)) });
}

/** The last part of a label's key, words apart: `com.example.build-date` is `build date`. */
function labelTitle(key: string): string {
  return (key.split('.').at(-1) ?? '').replace(/[-_]/g, ' ');
}
