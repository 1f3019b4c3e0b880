import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { dieWithParentSteps } from '../../linux/die-with-parent.ts';
import { encodeProgram } from '../../linux/encode-program.ts';
import { FCNTL } from '../../linux/process-flags.ts';
import type { Program } from '../../linux/program.ts';
import { decodeRecords } from '../../linux/records.ts';
import { runnerBytes } from '../../linux/runner-file.ts';
import { StepError } from '../../linux/step-error.ts';
import type { Machine } from '../../linux/syscalls.ts';
import { DEFAULT_PATH, environmentValue } from '../environment.ts';
import type { PlanRequest } from '../plan-container.ts';
import { executeSteps } from '../steps/execute.ts';
import { forkInitStep } from '../steps/init.ts';

// `--init` in a container of a runtime: its command is our runner, bound over a name in the container's own /dev, which stays as
// process 1 and forks the command. Its program comes from a file that it finds open, where from Node it would come through a
// socket; what it has to report it writes behind that.

/** Number of the descriptor of the program's file: the first that a runtime hands on. */
export const PROGRAM_DESCRIPTOR = 3;

/** Where the container has the runner, and what it is started with. */
export const INIT_COMMAND: readonly [path: string, descriptor: string] = ['/dev/init', String(PROGRAM_DESCRIPTOR)];

/** The files in the bundle's folder. */
export function initFiles(bundle: string): { runner: string; program: string } {
  return { runner: join(bundle, 'init'), program: join(bundle, 'init-program') };
}

type Command = Pick<PlanRequest, 'command' | 'environment'>;

/** Writes them. The runner is a copy: a privileged container that writes to it harms itself alone. */
export function writeInit(bundle: string, command: Command, machine: Machine): void {
  const { runner, program } = initFiles(bundle);
  writeFileSync(runner, runnerBytes(machine), { flag: 'wx', mode: 0o555 }); // for every user of the container
  writeFileSync(program, encodeInit(command, machine), { flag: 'wx', mode: 0o600 });
}

/** The step that has failed in place of the command's start, from behind the program. */
export function readInitFailure(bundle: string, command: Command, machine: Machine): StepError | undefined {
  const reported = readFileSync(initFiles(bundle).program).subarray(encodeInit(command, machine).length);
  const steps = initProgram(command);
  for (const { step, value } of decodeRecords(reported).records) {
    const failed = steps[step];
    if (failed !== undefined && value < 0) return new StepError(step, failed, -value);
  }
  return undefined;
}

function encodeInit(command: Command, machine: Machine): Buffer {
  const layout = { held: PROGRAM_DESCRIPTOR, control: PROGRAM_DESCRIPTOR };
  return encodeProgram(initProgram(command), machine, layout);
}

function initProgram({ command, environment }: Command): Program {
  const what = 'close the descriptors of the runtime';
  return [
    { call: 'close_range', args: [PROGRAM_DESCRIPTOR + 1, 0xffffffff, 0], what },
    { call: 'fcntl', args: [PROGRAM_DESCRIPTOR, FCNTL.SETFD, FCNTL.FD_CLOEXEC], what },
    forkInitStep,
    ...dieWithParentSteps(),
    ...executeSteps({ command, environment, path: environmentValue(environment, 'PATH') ?? DEFAULT_PATH }),
  ];
}
