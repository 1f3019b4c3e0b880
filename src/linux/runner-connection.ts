import type { Duplex } from 'node:stream';
import type { Program } from './program.ts';
import { decodeRecords, RECORD, type RunnerRecord } from './records.ts';
import { StepError } from './step-error.ts';

export interface RunnerConnection {
  stream: Duplex;
  /** What encodeProgram made of `program`. */
  blob: Buffer;
  program: Program;
  /** How many steps at the start of the program are not the caller's: errors count from the step after them. */
  prelude: number;
  /** Called when the program waits for the id maps of its user namespace. */
  writeIdMaps: () => Promise<void>;
  /** Called when the program waits for somebody to serve its network namespace. */
  serveNetwork: () => Promise<void>;
}

/**
 * Sends the program and answers the runner until the connection closes, which is at execve, or when all its processes have ended.
 * Resolves to the process id that the first fork returned; rejects with a StepError or what `writeIdMaps` or `serveNetwork` rejects
 * with.
 */
export async function serveRunner(connection: RunnerConnection): Promise<number | undefined> {
  const { stream, blob, writeIdMaps, serveNetwork } = connection;
  let rest: Buffer = Buffer.alloc(0);
  let forked: RunnerRecord | undefined;
  let failure: { reason: unknown } | undefined;
  const fail = (reason: unknown): void => {
    failure ??= { reason };
  };
  const give = (): void => {
    stream.write(Buffer.alloc(1));
  };
  const giveUp = (reason: unknown): void => {
    fail(reason);
    stream.destroy(); // the runner reads the end, and ends
  };

  stream.on('data', (chunk: Buffer) => {
    const decoded = decodeRecords(Buffer.concat([rest, chunk]));
    rest = decoded.rest;
    for (const record of decoded.records) {
      if (record.step === RECORD.idMapsWanted) writeIdMaps().then(give, giveUp);
      else if (record.step === RECORD.networkWanted) serveNetwork().then(give, giveUp);
      else if (isForked(connection.program, record)) forked = earlier(forked, record);
      else if (record.step !== RECORD.alive) fail(stepError(connection, record));
    }
  });
  stream.on('error', () => undefined); // of a runner that ended early; 'close' follows
  await new Promise<void>((resolve) => {
    stream.once('close', resolve);
    stream.write(blob);
  });
  if (failure !== undefined) throw failure.reason;
  return forked?.value;
}

function isForked(program: Program, { step, value }: RunnerRecord): boolean {
  return value > 0 && program[step]?.fork !== undefined;
}

/** The halves of a fork run side by side: the record of a later fork may arrive first. */
function earlier(one: RunnerRecord | undefined, other: RunnerRecord): RunnerRecord {
  return one !== undefined && one.step < other.step ? one : other;
}

function stepError({ program, prelude }: RunnerConnection, { step, value }: RunnerRecord): StepError {
  const failed = program[step] ?? { call: 'read', what: 'hand the program to the runner' };
  return new StepError(step - prelude, failed, Math.max(0, -value));
}
