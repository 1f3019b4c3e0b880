import { describe, expect, it } from 'vitest';

import { containerCommand } from '../../src/container/container-command.ts';

const IMAGE = { entrypoint: ['entry', '-e'], cmd: ['cmd', '-c'] };

describe('containerCommand()', () => {
  it.for([
    [{ image: IMAGE, args: [] }, ['entry', '-e', 'cmd', '-c']],
    [{ image: IMAGE, args: ['a', 'b'] }, ['entry', '-e', 'a', 'b']],
    [{ image: { entrypoint: [], cmd: ['cmd'] }, args: [] }, ['cmd']],
    [{ image: { entrypoint: [], cmd: ['cmd'] }, args: ['a'] }, ['a']],
    [{ image: { entrypoint: ['entry'], cmd: [] }, args: [] }, ['entry']],
    [{ image: IMAGE, entrypoint: '/own', args: [] }, ['/own']],
    [{ image: IMAGE, entrypoint: '/own', args: ['a'] }, ['/own', 'a']],
    [{ image: IMAGE, entrypoint: '', args: ['a'] }, ['a']],
    [{ image: { entrypoint: [], cmd: [''] }, args: [] }, ['']],
  ] as const)('of %j is %j', ([sources, expected]) => {
    expect(containerCommand(sources)).toEqual(expected);
  });

  it.for([
    { image: { entrypoint: [], cmd: [] }, args: [] },
    { image: IMAGE, entrypoint: '', args: [] },
  ])('is an error when nothing is left: %j', (sources) => {
    expect(() => containerCommand(sources)).toThrow('no command specified');
  });
});
