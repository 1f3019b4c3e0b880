import { describe, expect, it } from 'vitest';

import { parseHostName } from '../../../src/container/network/parse-host-name.ts';

describe('parseHostName()', () => {
  it.for([
    ['db:192.0.2.7', { name: 'db', address: '192.0.2.7' }],
    ['db=192.0.2.7', { name: 'db', address: '192.0.2.7' }],
    ['my-db.example.org:2001:db8::1', { name: 'my-db.example.org', address: '2001:db8::1' }],
    ['db:[::1]', { name: 'db', address: '::1' }],
    ['host.docker.internal:host-gateway', { name: 'host.docker.internal', address: 'host-gateway' }],
  ] as const)('reads "%s"', ([text, expected]) => {
    expect(parseHostName(text)).toEqual(expected);
  });

  it.for([
    ['', 'bad format for add-host: ""'],
    ['db', 'bad format for add-host: "db"'],
    [':192.0.2.7', 'bad format'],
    ['a b:192.0.2.7', 'bad format'],
    ['a\n10.0.0.1 b:192.0.2.7', 'bad format for add-host: "a\\n10.0.0.1 b:192.0.2.7"'],
    ['#a:192.0.2.7', 'bad format'],
    [`${'a'.repeat(256)}:192.0.2.7`, 'bad format'],
    ['db:', 'invalid IP address in add-host: ""'],
    ['db:192.0.2', 'invalid IP address in add-host: "192.0.2"'],
    ['db:192.0.2.7\n10.0.0.1 bank', 'invalid IP address in add-host: "192.0.2.7\\n10.0.0.1 bank"'],
    ['db:fe80::1%eth0\t#', 'invalid IP address'],
    ['db:other', 'invalid IP address in add-host: "other"'],
  ])('refuses "%s"', ([text = '', reason = '']) => {
    expect(() => parseHostName(text)).toThrow(
      expect.objectContaining({ code: 'ERR_USAGE', message: expect.stringContaining(reason) as string }),
    );
  });
});
