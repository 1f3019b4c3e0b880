import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

// docs/SECURITY.md says what the rows are. `a-b` is all from a to b.
const ROWS: Readonly<Record<string, string>> = {
  'properties of layers': 'P1-P7',
  'what tar readers disagree on': 'G1-G22',
  'hostile layers': 'L01-L21 L23-L32 L34-L41 L43-L50 L52-L71 L73-L87 L89-L92 L94-L97 L99',
  'hostile configs': 'C01-C13',
  'registry faults': 'R01-R14 R16-R32 R34-R39 R41-R44 R46-R50 R52-R57 R59-R70',
  'invariants of the store': 'I1-I10',
  'store faults': 'S01-S13 S15-S19 S21-S25 S27-S30',
  'hostile registries': 'A1-A19',
  'hostile images': 'B1-B21',
  'local users and processes': 'E1-E6',
  'crashes and full disks': 'F1-F8',
  'hostile processes in containers': 'threat C1-C15',
  'ways out of containers': 'X01-X22 X24-X26 X28-X33 X35-X36',
};

const TESTS = fileURLToPath(new URL('.', import.meta.url));
const text = testFiles()
  .map((path) => withoutComments(readFileSync(path, 'utf8')))
  .join('\n');

describe('every row of the catalogue has a test whose name carries its ID:', () => {
  it.each(Object.entries(ROWS))('%s', (_subject, rows) => {
    expect(idsOf(rows).filter((id) => !isNamed(id))).toEqual([]);
  });
});

/** With what tables of tests import. */
function testFiles(): string[] {
  const names = readdirSync(TESTS, { recursive: true, encoding: 'utf8' });
  return names.filter((name) => name.endsWith('.ts') && name !== 'catalogue.test.ts').map((name) => join(TESTS, name));
}

function withoutComments(source: string): string {
  return source.replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
}

/** `threat C1 C2` names both. */
function isNamed(id: string): boolean {
  const [, prefix, row] = /^(?:(threat) )?(\w+)$/.exec(id) ?? [];
  const before = prefix === undefined ? String.raw`['"\`](?:[^'"\`\n]*[^\w'"\`])?` : String.raw`\bthreat (?:C\d+ )*`;
  return new RegExp(`${before}${row}\\b`).test(text);
}

function idsOf(rows: string): string[] {
  const prefix = rows.startsWith('threat ') ? 'threat ' : '';
  return rows
    .slice(prefix.length)
    .split(' ')
    .flatMap((range) => {
      const [first = '', last = first] = range.split('-');
      const [, letter = '', from = ''] = /^([A-Z])(\d+)$/.exec(first) ?? [];
      const count = Number(last.slice(1)) - Number(from) + 1;
      return Array.from(
        { length: count },
        (_, at) => `${prefix}${letter}${String(Number(from) + at).padStart(from.length, '0')}`,
      );
    });
}
