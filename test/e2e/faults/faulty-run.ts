import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Requirement } from '../../support/requirements.ts';
import type { CallOptions, CliHome, Ended } from '../support/cli-home.ts';
import { TEST_BED_NEEDS } from '../support/test-bed.ts';

/** Calls that change files, by kind; `setup` are those that make a container. */
export type CallKind = (typeof CALL_KINDS)[number];

export const CALL_KINDS = [
  'write',
  'create',
  'rename',
  'fsync',
  'link',
  'mkdir',
  'unlink',
  'truncate',
  'chmod',
  'setup',
] as const;

/** A call on something in the home. The path of a rename is the new one; that of an fsync the file's. */
export interface CountedCall {
  kind: CallKind;
  call: string;
  path: string;
  /** By another process than the CLI itself. */
  byChild: boolean;
}

export interface Fault {
  kinds: readonly CallKind[];
  /** Which call of these kinds, from 1, over all threads and children; none where it is left out. */
  at?: number;
  /**
   * `kill`: SIGKILL to the CLI; `kill-caller`: to whichever process makes the call; `stop`: SIGSTOP to the CLI. Else the name of
   * an errno with which the call fails.
   */
  effect?: string;
  /** All further calls of these kinds fail too. */
  onwards?: boolean;
  /** Only calls of other processes than the CLI itself count. */
  ofChildren?: boolean;
}

export interface FaultyEnd extends Ended {
  calls: CountedCall[];
  /** The call that it came to. */
  hit: CountedCall | undefined;
  /** Processes that were still there ten seconds after the CLI had ended. */
  survivors: string[];
}

const INJECTOR = fileURLToPath(new URL('./fault-injector.py', import.meta.url));

export const FAULT_NEEDS: Requirement[] = [...TEST_BED_NEEDS, 'ordinary-users', 'python3'];

/** Runs the CLI with a fault among its calls on files of the home. */
export async function runFaulty(home: CliHome, args: string[], fault: Fault): Promise<FaultyEnd> {
  const report = join(home.folder, 'report.json');
  const ended = await home.mydocker(args, underInjector(home, report, fault));
  const { calls, hit, survivors } = JSON.parse(readFileSync(report, 'utf8')) as Report;
  return { ...ended, calls, hit: hit === null ? undefined : calls[hit], survivors };
}

interface Report {
  calls: CountedCall[];
  /** Index. */
  hit: number | null;
  survivors: string[];
}

/** The injector starts as root, and the CLI as the home's user. */
export function underInjector(
  home: CliHome,
  report: string,
  { kinds, at, effect, onwards, ofChildren }: Fault,
): CallOptions {
  const options = ['--under', home.store, '--report', report, '--calls', kinds.join(',')];
  if (at !== undefined) options.push('--at', String(at), '--do', effect ?? 'kill');
  if (onwards === true) options.push('--onwards');
  if (ofChildren === true) options.push('--children');
  const become = ['setpriv', `--reuid=${home.uid}`, `--regid=${home.gid}`, '--clear-groups', '--'];
  const prefix = ['python3', INJECTOR, ...options, '--', ...(home.uid === 0 ? [] : become)];
  return { prefix, prefixAsRoot: true };
}
