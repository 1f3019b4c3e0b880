import { ToolError } from '../errors.ts';
import { pause } from '../fs/abort.ts';
import { SIGNAL } from '../linux/process-flags.ts';
import { printable } from '../printable.ts';
import { readIntactRecord } from './container-record.ts';
import { findContainer } from './find-container.ts';
import { isLocked } from './list-containers.ts';
import { parseSignal } from './parse-signal.ts';
import { signalContainer } from './signal-container.ts';

export interface StopContainerRequest {
  /** The store's folder of containers. */
  containers: string;
  /** Name, ID or the first characters of the ID. */
  container: string;
  /** In docker's words. */
  signalName?: string | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Asks a container to end, and ends it after `timeout` seconds (-1: never); without them, after those that it was made with, or 10. The
 * signal is the given one, that which the container was made with, or SIGTERM. One that does not run is left as it is. Resolves when it
 * has ended and its exit code is known.
 * @throws {ToolError} ERR_NO_SUCH_CONTAINER, ERR_USAGE, ERR_ABORTED
 */
export async function stopContainer(request: StopContainerRequest & { timeout?: number | undefined }): Promise<void> {
  const { containers, container, signalName } = request;
  const wanted = signalName === undefined ? undefined : parseSignal(signalName);
  const id = findContainer(containers, container);
  const record = readIntactRecord(containers, id);
  const timeout = request.timeout ?? record?.stopTimeout ?? DEFAULT_TIMEOUT;
  const wait = waiting(request, id);
  await wait.untilSent(wanted ?? record?.stopSignal ?? SIGNAL.TERM);
  if (await wait.untilEnded(timeout < 0 ? Number.POSITIVE_INFINITY : timeout * 1000)) return;
  await wait.untilSent(SIGNAL.KILL);
  await wait.untilEnded(Number.POSITIVE_INFINITY);
}

/**
 * Sends a signal to a container, SIGKILL unless another is given; that is waited for.
 * @throws {ToolError} ERR_NO_SUCH_CONTAINER, ERR_CONFLICT if it does not run, ERR_USAGE, ERR_ABORTED
 */
export async function killContainer(request: StopContainerRequest): Promise<void> {
  const { containers, container, signalName = 'KILL' } = request;
  const id = findContainer(containers, container);
  try {
    const number = parseSignal(signalName);
    const wait = waiting(request, id);
    if (!(await wait.untilSent(number))) throw new ToolError('ERR_CONFLICT', `container ${id} is not running`);
    if (number === SIGNAL.KILL) await wait.untilEnded(Number.POSITIVE_INFINITY);
  } catch (error) {
    if (!(error instanceof ToolError) || error.code === 'ERR_ABORTED') throw error;
    throw new ToolError(error.code, `cannot kill container: ${printable(container)}: ${error.message}`);
  }
}

const DEFAULT_TIMEOUT = 10; // seconds, docker's
const FIRST_PAUSE = 2; // ms
const LONGEST_PAUSE = 40; // ms

interface Waiting {
  /** False if the container has ended before. */
  untilSent: (number: number) => Promise<boolean>;
  /** False if it has not within these milliseconds. */
  untilEnded: (milliseconds: number) => Promise<boolean>;
}

function waiting({ containers, container, signal }: StopContainerRequest, id: string): Waiting {
  const task = `stop container "${printable(container)}"`;
  const until = async (isDone: () => boolean, milliseconds: number): Promise<boolean> => {
    const end = performance.now() + milliseconds;
    for (let next = FIRST_PAUSE; !isDone(); next = Math.min(next * 2, LONGEST_PAUSE)) {
      const left = end - performance.now();
      if (left <= 0) return false;
      await pause(Math.min(next, left), signal, task);
    }
    return true;
  };
  const isRunning = (): boolean => isLocked(containers, id) ?? false;
  return {
    // Its process may be recorded only in a moment.
    async untilSent(number) {
      let isSent = false;
      await until(() => {
        isSent = signalContainer(containers, id, number);
        return isSent || !isRunning();
      }, Number.POSITIVE_INFINITY);
      return isSent;
    },
    untilEnded: async (milliseconds) => until(() => !isRunning(), milliseconds),
  };
}
