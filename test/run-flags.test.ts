import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { runFlags } from '../src/cli/run-flags.ts';
import type { Flag } from '../src/cli/flags.ts';

const FLAGS: [string, Flag<unknown>][] = Object.entries(runFlags);

describe('every flag of run', () => {
  it('has an end-to-end test whose title has it as "--flag"', () => {
    const titles = endToEndTitles();
    expect(titles.length).toBeGreaterThan(100); // or the pattern finds none
    const tested = new Set(titles.flatMap((title) => title.match(/--[a-z][a-z-]*/g) ?? []));
    expect(FLAGS.map(([name]) => `--${name}`).filter((flag) => !tested.has(flag))).toEqual([]);
  });

  it('has a row in docs/run-flags.md', () => {
    const cells = rowsOf(readFileSync(join(import.meta.dirname, '../docs/run-flags.md'), 'utf8'));
    const named = new Set(cells.flatMap((cell) => [...cell.matchAll(/`(--?[a-z-]+)/g)].map(([, flag]) => flag)));
    const isNamed = ([name, { short }]: [string, Flag<unknown>]): boolean =>
      named.has(`--${name}`) || named.has(`-${short}`);
    expect(FLAGS.filter((flag) => !isNamed(flag)).map(([name]) => name)).toEqual([]);
  });
});

/** The titles of `it` and `describe`, also those that follow a table. */
function endToEndTitles(): string[] {
  const folder = join(import.meta.dirname, 'e2e');
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .flatMap((source) =>
      [...source.matchAll(/(?:\bit|\bdescribe|\))\(\s*(['"`])(.*?)\1,/g)].map(([, , title = '']) => title),
    );
}

/** First cells. */
function rowsOf(markdown: string): string[] {
  return [...markdown.matchAll(/^\|([^|]+(?:\\\|[^|]+)*)\|/gm)].map(([, cell = '']) => cell);
}
