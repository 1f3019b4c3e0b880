import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { COMMANDS, GROUPS, HIDDEN } from '../../src/cli/command-table.ts';
import { main } from '../../src/cli/main.ts';
import { fakeContext } from './support/fake-context.ts';

const FOLDER = fileURLToPath(new URL('../../fixtures/help/', import.meta.url));

/** The words of each command that a help lists, and of each group. */
const WORDS = [
  [],
  ...Object.keys(COMMANDS).map((name) => [name]),
  ...Object.entries(GROUPS).flatMap(([group, { commands }]) => [
    [group],
    ...Object.keys(commands)
      .filter((name) => !HIDDEN.has(name))
      .map((name) => [group, name]),
  ]),
];

const fileOf = (words: readonly string[]): string => `${['mydocker', ...words].join('-')}.txt`;

describe('--help', () => {
  // `npx vitest -u test/cli/help-texts` writes them anew, for a change that is wanted.
  it.each(WORDS.map((words) => [['mydocker', ...words].join(' '), words] as const))('of %s', async (_, words) => {
    const context = fakeContext();
    expect(await main([...words, '--help'], context)).toBe(0);
    expect(context.err()).toBe('');
    await expect(context.out()).toMatchFileSnapshot(FOLDER + fileOf(words));
  });

  it('has no text of a command that is gone', () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual(WORDS.map(fileOf).toSorted());
  });
});
