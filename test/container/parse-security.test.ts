import { describe, expect, it } from 'vitest';

import { DEFAULT_SECURITY, parseSecurity } from '../../src/container/parse-security.ts';

describe('parseSecurity()', () => {
  it.each([
    [[], {}],
    [['no-new-privileges'], { noNewPrivileges: true }],
    [['no-new-privileges:true'], { noNewPrivileges: true }],
    [['no-new-privileges=true', 'no-new-privileges=false'], { noNewPrivileges: false }],
    [['seccomp=unconfined'], { seccomp: 'unconfined' }],
    [['seccomp:unconfined', 'seccomp=builtin'], { seccomp: 'default' }],
    [['seccomp=/etc/a=b.json'], { seccomp: { path: '/etc/a=b.json' } }],
    [['seccomp=./a.json'], { seccomp: { path: `${process.cwd()}/a.json` } }],
    [['systempaths=unconfined'], { systemPaths: 'unconfined' }],
  ])('reads %j', (options, changes) => {
    expect(parseSecurity(options)).toEqual({ ...DEFAULT_SECURITY, ...changes });
  });

  it.each([
    '',
    'seccomp',
    'seccomp=',
    'no-new-privileges=maybe',
    'apparmor=unconfined',
    'label=disable',
    'systempaths=x',
  ])('refuses "%s" with what there is', (option) => {
    expect(() => parseSecurity([option])).toThrow(
      expect.objectContaining({
        code: 'ERR_USAGE',
        message: `invalid --security-opt: "${option}"`,
        hint: expect.stringContaining('seccomp=unconfined') as string,
      }),
    );
  });
});
