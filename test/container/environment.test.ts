import { describe, expect, it } from 'vitest';

import { containerEnvironment, environmentValue } from '../../src/container/environment.ts';

const SOURCES = { hostname: 'box', image: [], overrides: [], home: '/root' };
const PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

describe('containerEnvironment()', () => {
  it('has a PATH, the host name and a home without any sources', () => {
    expect(containerEnvironment(SOURCES)).toEqual([PATH, 'HOSTNAME=box', 'HOME=/root']);
  });

  it('has TERM with a terminal only', () => {
    expect(containerEnvironment({ ...SOURCES, terminal: 'xterm' })).toContain('TERM=xterm');
  });

  it('lets the user win over the image, and both over the engine', () => {
    const environment = containerEnvironment({
      ...SOURCES,
      image: ['PATH=/image', 'A=image', 'B=image', 'HOME=/image'],
      overrides: ['B=user', 'HOSTNAME=user', 'B=user again'],
    });
    expect(environment).toEqual(['PATH=/image', 'HOSTNAME=user', 'A=image', 'B=user again', 'HOME=/image']);
  });

  it('removes what the user names without a value', () => {
    const environment = containerEnvironment({ ...SOURCES, image: ['A=1', 'B=2'], overrides: ['A', 'HOSTNAME', 'C'] });
    expect(environment).toEqual([PATH, 'B=2', 'HOME=/root']);
  });

  it('takes an empty HOME for none, as docker does', () => {
    expect(containerEnvironment({ ...SOURCES, image: ['HOME='] })).toContain('HOME=/root');
  });

  it('C04 B18 leaves malformed entries of the image out', () => {
    const image = ['PATH', '*', '=x', 'A=\0', '', 'GOOD=a=b', 'EMPTY=', '__proto__=x'];
    expect(containerEnvironment({ ...SOURCES, image })).toEqual([
      PATH,
      'HOSTNAME=box',
      'GOOD=a=b',
      'EMPTY=',
      '__proto__=x',
      'HOME=/root',
    ]);
  });
});

describe('environmentValue()', () => {
  it.for([
    ['A', '3'],
    ['B', ''],
    ['C', undefined],
  ] as const)('finds the last value of %s', ([key, value]) => {
    expect(environmentValue(['A=1', 'B=', 'A=3', 'AA=4'], key)).toBe(value);
  });
});
