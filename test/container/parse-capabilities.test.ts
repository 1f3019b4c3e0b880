import { describe, expect, it } from 'vitest';

import { parseCapabilities } from '../../src/container/parse-capabilities.ts';
import { CAPABILITIES, DEFAULT_CAPABILITIES } from '../../src/linux/capabilities.ts';

function parse(request: { add?: string[]; drop?: string[]; privileged?: boolean }): readonly string[] {
  return parseCapabilities({ add: [], drop: [], privileged: false, ...request });
}

describe('parseCapabilities()', () => {
  it.each([
    [{}, DEFAULT_CAPABILITIES],
    [{ add: ['net_admin', 'CAP_CHOWN'] }, [...DEFAULT_CAPABILITIES, 'NET_ADMIN']],
    [{ drop: ['cap_mknod'] }, DEFAULT_CAPABILITIES.filter((name) => name !== 'MKNOD')],
    [{ drop: ['ALL'] }, []],
    [{ drop: ['all'], add: ['NET_RAW'] }, ['NET_RAW']],
    [{ add: ['ALL'] }, CAPABILITIES],
    [{ add: ['CAP_ALL'], drop: ['SYS_ADMIN'] }, CAPABILITIES.filter((name) => name !== 'SYS_ADMIN')],
    [{ privileged: true, drop: ['ALL'] }, CAPABILITIES],
  ])('reads %j as docker does', (request, expected) => {
    expect(new Set(parse(request))).toEqual(new Set(expected));
  });

  it.each(['', 'foo', 'CAP_', 'constructor', 'NET_ADMIN,CHOWN'])('refuses "%s"', (name) => {
    expect(() => parse({ drop: [name] })).toThrow(`invalid capability: "${name}"`);
    expect(() => parse({ add: [name], privileged: true })).toThrow(`invalid capability: "${name}"`);
  });
});
