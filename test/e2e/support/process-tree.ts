import { readdirSync, readFileSync } from 'node:fs';

/** A process of the machine, as /proc shows it. */
export interface MachineProcess {
  pid: number;
  parent: number;
  /** Program and arguments; empty for what is gone or a zombie. */
  command: string[];
  /** Its pid in the innermost pid namespace. */
  innerPid: number;
}

/** The processes that `pid` started, and theirs. */
export function descendantsOf(pid: number): MachineProcess[] {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => readProcess(Number(name)))
    .filter((found) => found !== undefined);
  const found: MachineProcess[] = [];
  for (let parents = new Set([pid]); parents.size > 0;) {
    const children = all.filter(({ parent }) => parents.has(parent));
    found.push(...children);
    parents = new Set(children.map((child) => child.pid));
  }
  return found;
}

/** Whether a process runs; a zombie does not. */
export function isAlive(pid: number): boolean {
  const state = statusOf(pid)?.['State'];
  return state !== undefined && !/^[ZX]/.test(state);
}

function readProcess(pid: number): MachineProcess | undefined {
  const status = statusOf(pid);
  const command = readOrUndefined(`/proc/${pid}/cmdline`);
  if (status === undefined || command === undefined) return undefined;
  const innerPid = Number(status['NSpid']?.split('\t').at(-1) ?? pid);
  return { pid, parent: Number(status['PPid']), command: command.split('\0').slice(0, -1), innerPid };
}

function statusOf(pid: number): Record<string, string> | undefined {
  const text = readOrUndefined(`/proc/${pid}/status`);
  if (text === undefined) return undefined;
  return Object.fromEntries(text.split('\n').map((line) => line.split(/:\s*(.*)/).slice(0, 2) as [string, string]));
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined; // it ended between the look and the read
  }
}
