import { describe, expect, it } from 'vitest';

import { parseMount } from '../../src/container/parse-mount.ts';

const BIND = { target: '/b', readOnly: false, mustExist: true };

describe('parseMount()', () => {
  it.for([
    ['type=bind,source=/a,target=/b', { volume: { ...BIND, source: '/a' } }],
    ['type=BIND,SRC=/a/../c/,dst=/x/../b/', { volume: { ...BIND, source: '/c/' } }],
    ['type=bind,src=./a,destination=/b,readonly', { volume: { ...BIND, source: '/here/a', readOnly: true } }],
    ['type=bind,src=.,dst=/b,ro=false', { volume: { ...BIND, source: '/here' } }],
    ['type=bind,src=..,dst=/b,ro=1', { volume: { ...BIND, source: '/', readOnly: true } }],
    ['type=bind,"src=/a,c",dst=/b', { volume: { ...BIND, source: '/a,c' } }],
    ['type=bind,"src=/a""c",dst=/b,consistency=cached', { volume: { ...BIND, source: '/a"c' } }],
    ['type=bind,src=/a,dst=/b,bind-propagation=rprivate', { volume: { ...BIND, source: '/a' } }],
    ['target=/b', { volume: { target: '/b', readOnly: false } }],
    ['type=tmpfs,dst=/b', { tmpfs: { kind: 'tmpfs', target: '/b', attributes: 0xe, options: [] } }],
    [
      'type=tmpfs,dst=/b,ro,tmpfs-size=1m,tmpfs-mode=1770',
      {
        tmpfs: {
          kind: 'tmpfs',
          target: '/b',
          attributes: 0xf,
          options: [
            ['size', '1048576'],
            ['mode', '1770'],
          ],
        },
      },
    ],
  ] as const)('reads "%s"', ([text, expected]) => {
    expect(parseMount(text, '/here')).toEqual(expected);
  });

  it.for([
    ['', "invalid field '' must be a key=value pair"],
    ['bind', "invalid field 'bind' must be a key=value pair"],
    ['type=bind,src', "invalid field 'src' must be a key=value pair"],
    ['type=bind,x=y,dst=/b', "unexpected key 'x' in 'x=y'"],
    ['type=bind,toString=y', "unexpected key 'tostring' in 'toString=y'"],
    ['type=bind,src=/a', 'target is required'],
    ['type=bind,src=/a,dst=', 'target is required'],
    ['type=bind,dst=/b', 'invalid mount config for type "bind": field Source must not be empty'],
    ['type=bind,src=a,dst=/b', "invalid mount path: 'a' mount path must be absolute"],
    ['type=bind,src=..a,dst=/b', "invalid mount path: '..a' mount path must be absolute"],
    ['type=npipe,src=/a,dst=/b', 'mount type unknown: "npipe"'],
    ['type=tmpfs,src=/a,dst=/b', 'invalid mount config for type "tmpfs": field Source must not be specified'],
    ['type=tmpfs,dst=/b,tmpfs-mode=8', 'invalid value for tmpfs-mode: 8'],
    ['type=tmpfs,dst=/b,bind-propagation=private', "cannot mix 'bind-*' options with mount type 'tmpfs'"],
    ['type=bind,src=/a,dst=/b,tmpfs-size=1', "cannot mix 'tmpfs-*' options with mount type 'bind'"],
    ['type=bind,src=/a,dst=/b,ro=maybe', 'invalid value for readonly: maybe'],
    ['type=bind,src="/a",dst=/b', 'parse error'],
    ['type=bind,"src=/a,dst=/b', 'parse error'],
  ] as const)('refuses "%s"', ([text, reason]) => {
    const refused = { code: 'ERR_USAGE', message: expect.stringContaining(reason) as string };
    expect(() => parseMount(text, '/here')).toThrow(expect.objectContaining(refused) as Error);
    expect(() => parseMount(text, '/here')).toThrow(`invalid argument "${text}" for "--mount" flag: `);
  });

  it.for([
    ['type=bind,src=/a,dst=b', 'mount path must be absolute'],
    ['type=bind,src=/a,dst=/', "destination can't be '/'"],
    ['type=tmpfs,dst=/proc/x', "inside /proc, which is the kernel's"],
    ['type=tmpfs,dst=/b,tmpfs-size=x', 'invalid size'],
  ] as const)('checks the target and the size as elsewhere: "%s"', ([text, reason]) => {
    expect(() => parseMount(text, '/here')).toThrow(reason);
  });

  it.for(['src=data,dst=/b', 'type=bind,src=/a,dst=/b,bind-propagation=shared'])('has no "%s"', (text) => {
    expect(() => parseMount(text, '/here')).toThrow(expect.objectContaining({ code: 'ERR_UNSUPPORTED' }) as Error);
  });
});
