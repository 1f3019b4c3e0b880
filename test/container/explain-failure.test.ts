import { describe, expect, it } from 'vitest';

import { explainFailure, type FailureContext } from '../../src/container/explain-failure.ts';
import { errnoNumber } from '../../src/linux/errno.ts';
import type { Errno } from '../../src/linux/errno.ts';
import { StepError } from '../../src/linux/step-error.ts';

const HOST = { kernelRelease: '5.4.0', userNamespaceObstacle: undefined, isFiltered: false };

function explain(
  call: string,
  what: string,
  code: Errno,
  host: Partial<FailureContext['host']> = {},
): { code: string; message: string; hint: string | undefined } {
  const failure = new StepError(7, { call: call as never, what }, errnoNumber(code));
  const error = explainFailure(failure, { program: 'foo', isNoexec: () => false, host: { ...HOST, ...host } });
  expect(error.cause).toBe(failure);
  return { code: error.code, message: error.message, hint: error.hint };
}

describe('explainFailure()', () => {
  it.for([
    [
      'faccessat2',
      'find the command in PATH',
      'ENOENT',
      'ERR_COMMAND_NOT_FOUND',
      'exec: "foo": executable file not found in $PATH',
    ],
    ['execve', 'execute "foo"', 'ENOENT', 'ERR_COMMAND_NOT_FOUND', 'exec: "foo": no such file or directory'],
    ['execve', 'execute "foo"', 'ENOTDIR', 'ERR_COMMAND_NOT_FOUND', 'exec: "foo": not a directory'],
    ['execve', 'execute "foo"', 'EACCES', 'ERR_COMMAND_NOT_EXECUTABLE', 'exec: "foo": permission denied'],
    ['execve', 'execute "foo"', 'ENOEXEC', 'ERR_COMMAND_NOT_EXECUTABLE', 'exec: "foo": exec format error'],
    ['execve', 'execute "foo"', 'E2BIG', 'ERR_COMMAND_NOT_EXECUTABLE', 'exec: "foo": argument list too long'],
    ['mkdirat', 'create /dev', 'ENOSPC', 'ERR_NO_SPACE', 'Cannot create /dev: no space left on device'],
    [
      'openat2',
      'provide /etc/hosts',
      'ELOOP',
      'ERR_CONTAINER',
      'Cannot provide /etc/hosts: too many levels of symbolic links',
    ],
    [
      'open_tree',
      'mount the volume "/a" at "/b"',
      'EACCES',
      'ERR_CONTAINER',
      'Cannot mount the volume "/a" at "/b": permission denied',
    ],
  ] as const)('%s that failed to %s with %s is %s', ([call, what, errno, code, message]) => {
    expect(explain(call, what, errno)).toMatchObject({ code, message });
  });

  it.for([
    ['openat2', 'ENOTDIR'],
    ['move_mount', 'EINVAL'],
  ] as const)("has docker's question for a file over a folder: %s %s", ([call, errno]) => {
    expect(explain(call, 'mount the volume "/a" at "/b"', errno)).toMatchObject({
      code: 'ERR_VOLUME',
      message:
        'Cannot mount the volume "/a" at "/b": not a directory: Are you trying to mount a directory onto a file (or vice-versa)? ' +
        'Check if the specified host path exists and is the expected type',
    });
  });

  it.for([
    ['unshare', 'create a user namespace', 'EPERM', 'does not allow it to create namespaces'],
    ['unshare', 'create a user namespace', 'ENOSPC', 'user.max_*_namespaces'],
    ['unshare', 'create a user namespace', 'EINVAL', 'CONFIG_USER_NS'],
    ['clone', 'create namespaces', 'EAGAIN', 'has as many processes as it may have'],
    ['clone', 'create namespaces', 'EPERM', 'does not allow it to create namespaces'],
    ['openat', 'write /proc/self/uid_map', 'EPERM', 'does not allow it'],
    ['mount', 'mount the overlay of its layers', 'EINVAL', '--home or MYDOCKER_HOME'],
    ['fsmount', 'mount /proc', 'EPERM', 'systempaths=unconfined'],
    ['mount_setattr', 'mount /dev/null', 'ENOSYS', 'Linux 5.12 or newer is needed, this is 5.4.0'],
  ] as const)('blames the machine for %s that failed to %s with %s', ([call, what, errno, hint]) => {
    expect(explain(call, what, errno)).toMatchObject({
      code: 'ERR_HOST',
      hint: expect.stringContaining(hint) as string,
    });
  });

  it('names what is known to forbid namespaces', () => {
    const userNamespaceObstacle = { cause: 'AppArmor forbids it', remedy: 'ask AppArmor' };
    const { hint } = explain('clone', 'create namespaces', 'EPERM', { userNamespaceObstacle, isFiltered: true });
    expect(hint).toBe('AppArmor forbids it: ask AppArmor');
  });

  it('blames the filter of system calls around this process, where there is one', () => {
    const { hint } = explain('unshare', 'create a user namespace', 'EPERM', { isFiltered: true });
    expect(hint).toMatch(/^A filter .*\(seccomp\).* forbids unshare.*--security-opt seccomp=unconfined/);
  });

  it('blames a file system that nothing can be executed on', () => {
    const failure = new StepError(7, { call: 'execve', what: 'execute "foo"' }, errnoNumber('EACCES'));
    const error = explainFailure(failure, { program: 'foo', isNoexec: () => true, host: HOST });
    expect(error).toMatchObject({ code: 'ERR_COMMAND_NOT_EXECUTABLE', message: 'exec: "foo": permission denied' });
    expect(error.hint).toMatch(/mounted noexec.*: mount it without noexec/);
  });

  it('says cause and remedy in one line', () => {
    for (const code of ['EPERM', 'ENOSPC'] as const) {
      expect(explain('unshare', 'create a user namespace', code).hint).toMatch(/^[A-Z].*: [a-z].*$/);
    }
  });

  it('says that an image or a container was removed meanwhile', () => {
    expect(explain('faccessat2', 'use the layer "x"', 'ENOENT').hint).toContain('pull it again');
    expect(explain('mknodat', 'record the start of the container', 'ENOENT').hint).toContain('removed while');
  });
});
