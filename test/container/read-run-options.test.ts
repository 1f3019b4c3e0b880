import { describe, expect, it } from 'vitest';

import { readRunOptions } from '../../src/container/read-run-options.ts';

describe('readRunOptions()', () => {
  it('takes an empty text for none, as docker does', () => {
    const { name, user, workingFolder, hostname, domainname } = readRunOptions([], {
      name: '',
      user: '',
      workdir: '',
      hostname: '',
      domainname: '',
    });
    expect([name, user, workingFolder, hostname, domainname].every((text) => text === undefined)).toBe(true);
  });

  it('reads labels, of which the last of a name counts', () => {
    expect(readRunOptions([], { labels: ['a=1', 'b', 'c=x=y', 'a=2', '__proto__=z'] }).labels).toEqual(
      Object.fromEntries([
        ['a', '2'],
        ['b', ''],
        ['c', 'x=y'],
        ['__proto__', 'z'],
      ]),
    );
  });

  it('puts mounts after the volumes and tmpfs that are given in short', () => {
    const { volumes, tmpfs } = readRunOptions([], {
      volumes: ['/a:/b'],
      tmpfs: ['/c'],
      mounts: ['type=bind,src=/d,dst=/e', 'type=tmpfs,dst=/f'],
    });
    expect(volumes?.map(({ target }) => target)).toEqual(['/b', '/e']);
    expect(tmpfs?.map(({ target }) => target)).toEqual(['/c', '/f']);
  });

  it('reads the stop signal and the user namespace', () => {
    expect(readRunOptions([], { stopSignal: 'int', stopTimeout: 3, userns: 'keep-id' })).toMatchObject({
      stopSignal: 2,
      stopTimeout: 3,
      userns: { kind: 'keep-id' },
    });
  });

  it.for([-1001, 1001, 0.5, Number.NaN])('refuses %d for the OOM killer', (oomScoreAdj) => {
    expect(() => readRunOptions([], { oomScoreAdj })).toThrow('range for oom score adj is [-1000, 1000]');
  });

  // A name is the name of a file in the store.
  it.for(['../../outside', '-web', 'a/b'])('refuses the container name "%s"', (name) => {
    expect(() => readRunOptions([], { name })).toThrow(`Invalid container name (${name}), only `);
  });

  it('takes a name, and none', () => {
    expect(readRunOptions([], { name: 'web.1' }).name).toBe('web.1');
    expect(readRunOptions([], {}).name).toBeUndefined();
  });
});
