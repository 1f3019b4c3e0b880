import { ToolError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { Errno } from '../linux/errno.ts';
import type { HostFacts } from '../linux/host-facts.ts';
import { namespaceError } from '../linux/namespace-error.ts';
import {
  NOEXEC_STORE,
  OVERLAY_OBSTACLE,
  coveredObstacle,
  obstacleText,
  oldKernelObstacle,
} from '../linux/obstacles.ts';
import type { Obstacle } from '../linux/obstacles.ts';
import type { StepError } from '../linux/step-error.ts';
import { printable } from '../printable.ts';
import { LAYER, RECORD_START } from './steps/content-guard.ts';
import { NOT_FOUND } from './steps/execute.ts';
import { OVERLAY } from './steps/root-file-system.ts';
import { VOLUME } from './steps/volumes.ts';

export interface FailureContext {
  /** The program of the command. */
  program: string;
  /** Whether the container's root is on a file system that is mounted noexec. */
  isNoexec: () => boolean;
  host: Pick<HostFacts, 'kernelRelease' | 'userNamespaceObstacle' | 'isFiltered'>;
}

/** A step of a set-up that failed, as an error for people: docker's words where docker has some, and what to do about it. */
export function explainFailure(failure: StepError, context: FailureContext): ToolError {
  return (
    explainCommand(failure, context) ??
    explainVolume(failure) ??
    explainRemoval(failure) ??
    explainHost(failure, context) ??
    toolError('ERR_CONTAINER', failure)
  );
}

function explainCommand(failure: StepError, { program, isNoexec }: FailureContext): ToolError | undefined {
  const subject = `exec: "${printable(program)}"`;
  const cause = failure;
  if (failure.what === NOT_FOUND) {
    return new ToolError('ERR_COMMAND_NOT_FOUND', `${subject}: executable file not found in $PATH`, { cause });
  }
  if (failure.call !== 'execve') return undefined;
  const missing = is(failure, 'ENOENT', 'ENOTDIR');
  const hint = is(failure, 'ENOEXEC')
    ? 'It was built for another kind of machine, or is a script without "#!" and an interpreter in its first line.'
    : is(failure, 'EACCES') && isNoexec()
      ? obstacleText(NOEXEC_STORE)
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
  const refused = namespaceError(failure, () => host);
  if (refused !== undefined) return refused;
  if (is(failure, 'ENOSPC', 'EDQUOT')) return toolError('ERR_NO_SPACE', failure);
  const obstacle = hostObstacle(failure, host);
  return obstacle === undefined ? undefined : toolError('ERR_HOST', failure, obstacleText(obstacle));
}

function hostObstacle(failure: StepError, host: FailureContext['host']): Obstacle | undefined {
  const { what, call } = failure;
  if (is(failure, 'ENOSYS')) return oldKernelObstacle(host.kernelRelease, call);
  if (what === OVERLAY) return OVERLAY_OBSTACLE;
  if (is(failure, 'EPERM') && what === 'mount /proc') return coveredObstacle('/proc');
  if (is(failure, 'EPERM') && what === 'mount /sys') return coveredObstacle('/sys');
  return undefined;
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
