import { describe, expect, it } from 'vitest';
import { formatRows } from '../../src/cli/format-rows.ts';
import { makeStruct } from '../../src/cli/go-template/value.ts';

const TITLES = { ID: 'IMAGE ID', Tag: 'TAG' };
const ROWS = [
  makeStruct('row', { ID: () => 'aaaaaaaaaaaa', Tag: () => 'latest' }),
  makeStruct('row', { ID: () => 'b', Tag: () => '<none>' }),
];

function format(text: string): string {
  return formatRows({ format: text, rows: ROWS, titles: TITLES });
}

describe('formatRows()', () => {
  it('prints a line for each row', () => {
    expect(format('{{.ID}}:{{.Tag}}')).toBe('aaaaaaaaaaaa:latest\nb:<none>\n');
  });

  it('prints an object on each line for json, keys sorted, fit for HTML', () => {
    expect(format('json')).toBe('{"ID":"aaaaaaaaaaaa","Tag":"latest"}\n{"ID":"b","Tag":"\\u003cnone\\u003e"}\n');
  });

  it('prints a table under titles, with or without a space after the word', () => {
    const table = 'IMAGE ID       TAG\naaaaaaaaaaaa   latest\nb              <none>\n';
    expect(format('table {{.ID}}\\t{{.Tag}}')).toBe(table);
    expect(format('table{{.ID}}\t{{.Tag}}')).toBe(table);
  });

  it('translates \\t and \\n, and trims spaces but no other white space', () => {
    expect(format('  {{.ID}}\\n-\t ')).toBe('aaaaaaaaaaaa\n-\t\nb\n-\t\n');
  });

  it('makes a title of a label’s key', () => {
    const rows = [makeStruct('row', { Label: (key) => ['value', key] })];
    const table = formatRows({ format: 'table {{.Label "com.example.build-date"}}', rows, titles: {} });
    expect(table).toBe('build date\n[value com.example.build-date]\n');
  });

  it('prints nothing but the header where there are no rows', () => {
    expect(formatRows({ format: 'table {{.ID}}\t{{.Tag}}', rows: [], titles: TITLES })).toBe('IMAGE ID   TAG\n');
    expect(formatRows({ format: 'json', rows: [], titles: TITLES })).toBe('');
  });

  it('fails for a field that there is not', () => {
    expect(() => format('{{.Nope}}')).toThrow(`executing "" at <.Nope>: can't evaluate field Nope in type row`);
  });
});
