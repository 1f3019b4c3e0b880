import { ToolError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Errno } from '../linux/errno.ts';
import type { HostFacts } from '../linux/host-facts.ts';
import type { StepError } from '../linux/step-error.ts';
import { printable } from '../printable.ts';
import { LAYER, RECORD_START } from './steps/content-guard.ts';
import { NOT_FOUND } from './steps/execute.ts';
import { OVERLAY } from './steps/root-file-system.ts';
import { VOLUME } from './steps/volumes.ts';

export interface FailureContext {
  /** The program of the command. */
  program: string;
  host: Pick<HostFacts, 'ownership' | 'kernelRelease' | 'userNamespaceObstacle'>;
}

/** A step of a set-up that failed, as an error for people: docker's words where docker has some, and what to do about it. */
export function explainFailure(failure: StepError, context: FailureContext): ToolError {
  return (
    explainCommand(failure, context.program) ??
    explainVolume(failure) ??
    explainRemoval(failure) ??
    explainHost(failure, context) ??
    toolError('ERR_CONTAINER', failure)
  );
}

function explainCommand(failure: StepError, program: string): ToolError | undefined {
  const subject = `exec: "${printable(program)}"`;
  const cause = failure;
  if (failure.what === NOT_FOUND) {
    return new ToolError('ERR_COMMAND_NOT_FOUND', `${subject}: executable file not found in $PATH`, { cause });
  }
  if (failure.call !== 'execve') return undefined;
  const missing = is(failure, 'ENOENT', 'ENOTDIR');
  const hint = is(failure, 'ENOEXEC')
    ? 'It was built for another kind of machine, or is a script without "#!" and an interpreter in its first line.'
    : undefined;
  const code = missing ? 'ERR_COMMAND_NOT_FOUND' : 'ERR_COMMAND_NOT_EXECUTABLE';
  return new ToolError(code, `${subject}: ${reasonOf(failure)}`, { cause, ...(hint === undefined ? {} : { hint }) });
}

function explainVolume(failure: StepError): ToolError | undefined {
  if (!failure.what.startsWith(VOLUME)) return undefined;
  // ENOTDIR: a folder over a file. EINVAL of move_mount: a file over a folder.
  if (!is(failure, 'ENOTDIR') && !(failure.call === 'move_mount' && is(failure, 'EINVAL'))) return undefined;
  const text =
    'not a directory: Are you trying to mount a directory onto a file (or vice-versa)? ' +
    'Check if the specified host path exists and is the expected type';
  return new ToolError('ERR_VOLUME', `Cannot ${failure.what}: ${text}`, { cause: failure });
}

/** Somebody removed the image or the container between its record and its start. */
function explainRemoval(failure: StepError): ToolError | undefined {
  if (!is(failure, 'ENOENT')) return undefined;
  if (failure.what.startsWith(LAYER)) {
    return toolError('ERR_CONTAINER', failure, 'The image was removed meanwhile, or is damaged: pull it again.');
  }
  if (failure.what === RECORD_START) {
    return toolError('ERR_CONTAINER', failure, 'The container was removed while it was being started.');
  }
  return undefined;
}

function explainHost(failure: StepError, { host }: FailureContext): ToolError | undefined {
  const { what, call } = failure;
  if (is(failure, 'ENOSPC', 'EDQUOT') && !NAMESPACE_CALLS.has(call)) return toolError('ERR_NO_SPACE', failure);
  if (is(failure, 'ENOSYS')) {
    const hint = `Linux ${MINIMUM_KERNEL} or newer is needed, this is ${host.kernelRelease}; or a sandbox forbids ${call}.`;
    return toolError('ERR_HOST', failure, hint);
  }
  if (what === OVERLAY) {
    const hint =
      'Overlayfs does not work on the file system of the store, or not for this user (which takes Linux 5.11): ' +
      'put the store elsewhere with --home or MYDOCKER_HOME.';
    return toolError('ERR_HOST', failure, hint);
  }
  if (is(failure, 'EPERM') && (what === 'mount /proc' || what === 'mount /sys')) {
    const hint =
      `A part of ${what.slice('mount '.length)} is covered here, as inside another container, and the kernel does not show it ` +
      'anew to those who cannot see it: run that container with "--security-opt systempaths=unconfined".';
    return toolError('ERR_HOST', failure, hint);
  }
  if (NAMESPACE_CALLS.has(call) || what.startsWith('write /proc/self/')) {
    return toolError('ERR_HOST', failure, host.userNamespaceObstacle ?? namespaceHint(failure));
  }
  return undefined;
}

const MINIMUM_KERNEL = '5.12'; // mount_setattr
const NAMESPACE_CALLS: ReadonlySet<string> = new Set(['clone', 'unshare']);

function namespaceHint(failure: StepError): string {
  return is(failure, 'ENOSPC')
    ? 'The number of namespaces is limited by the sysctls user.max_*_namespaces.'
    : 'This machine, or a sandbox around this process, does not allow it to create namespaces.';
}

function is(failure: StepError, ...codes: Errno[]): boolean {
  return failure.code !== undefined && codes.includes(failure.code);
}

/** What stands behind the colon of the message. */
function reasonOf({ message, what }: StepError): string {
  return message.slice(`Cannot ${what}: `.length);
}

function toolError(code: ErrorCode, failure: StepError, hint?: string): ToolError {
  return new ToolError(code, failure.message, { cause: failure, ...(hint === undefined ? {} : { hint }) });
}
