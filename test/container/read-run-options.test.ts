import { describe, expect, it } from 'vitest';

import { readRunOptions } from '../../src/container/read-run-options.ts';

describe('readRunOptions()', () => {
  // A name is the name of a file in the store.
  it.for(['../../outside', '-web', '', 'a/b'])('refuses the container name "%s"', (name) => {
    expect(() => readRunOptions([], { name })).toThrow(`Invalid container name (${name}), only `);
  });

  it('takes a name, and none', () => {
    expect(readRunOptions([], { name: 'web.1' }).name).toBe('web.1');
    expect(readRunOptions([], {}).name).toBeUndefined();
  });
});
