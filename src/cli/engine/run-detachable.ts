import { prepareRun } from '../../container/prepare-run.ts';
import { openConnection } from '../../container/session/connection.ts';
import { followSession } from '../../container/session/follow-session.ts';
import type { SessionEnd } from '../../container/session/follow-session.ts';
import { encodeJob } from '../../container/session/supervisor-job.ts';
import { startSupervisor } from '../../container/start-supervisor.ts';
import type { TerminalStreams } from '../../container/connect-terminal.ts';
import { storeFolder } from '../../image/engine.ts';
import type { RunRequest } from '../engine-api.ts';
import { runOptions } from './run-options.ts';

/** Runs a container that a process of its own looks after, so that it can go on without this one. */
export async function runDetachable(
  image: string,
  request: RunRequest & { terminal: TerminalStreams },
): Promise<SessionEnd> {
  const { terminal, detachKeys, signals, onStarted, signal } = request;
  const { engine, ...prepared } = await prepareRun(image, request.command, runOptions(request));
  const { terminal: _, ...options } = prepared.options;
  const connection = openConnection(await startSupervisor(engine.store.paths.runner));
  const job = { home: storeFolder(request), image: prepared.image, options, size: terminal.size() };
  void connection.send({ kind: 'run', bytes: encodeJob(job) });
  return followSession({ connection, terminal, detachKeys, signals, isOwner: true, onStarted, signal });
}
