import { describe, expect, it } from 'vitest';

import { readRunOptions } from '../../src/container/read-run-options.ts';

describe('readRunOptions()', () => {
  it('takes an empty text for none, as docker does', () => {
    const { user, workingFolder, hostname, domainname } = readRunOptions([], {
      user: '',
      workdir: '',
      hostname: '',
      domainname: '',
    });
    expect([user, workingFolder, hostname, domainname]).toEqual([undefined, undefined, undefined, undefined]);
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
});
