import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { ToolError } from '../errors.ts';
import { printable } from '../printable.ts';
import { obstacleText, powerlessIdMapToolsObstacle } from './obstacles.ts';
import { findProgram } from './find-program.ts';
import type { IdRange, Ownership } from './ownership.ts';

const MAX_MESSAGE = 4096; // bytes of a tool's complaint

/**
 * Gives the ids of `ownership` to the user namespace of process `pid`, which has just created it and must not run on before.
 * The kernel takes the maps from a caller with the privilege to map any id; newuidmap and newgidmap take them from anybody to
 * whom /etc/subuid and /etc/subgid grant the ranges. Throws ToolError ERR_HOST, and system errors of child_process.spawn.
 */
export async function writeIdMaps(
  pid: number,
  ownership: Ownership & { kind: 'mapped' },
  options: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  // Both are tried, and both waited for: whoever catches the error may end the process `pid`.
  const written = await Promise.allSettled([
    writeIdMap({ pid, map: 'uid_map', tool: 'newuidmap', ranges: ownership.uids, ...options }),
    writeIdMap({ pid, map: 'gid_map', tool: 'newgidmap', ranges: ownership.gids, ...options }),
  ]);
  for (const result of written) if (result.status === 'rejected') throw result.reason;
}

interface IdMap {
  pid: number;
  map: 'uid_map' | 'gid_map';
  tool: 'newuidmap' | 'newgidmap';
  ranges: readonly IdRange[];
  signal?: AbortSignal | undefined;
}

async function writeIdMap(idMap: IdMap): Promise<void> {
  const { pid, map, tool, ranges, signal } = idMap;
  const lines = ranges.map(({ inside, outside, count }) => `${inside} ${outside} ${count}\n`);
  try {
    writeFileSync(`/proc/${pid}/${map}`, lines.join(''));
    return;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) {
      throw new ToolError('ERR_HOST', `Cannot map ids: the kernel refuses ${map} "${printable(lines.join(''))}"`, {
        cause: error,
      });
    }
  }
  const path = findProgram(tool);
  if (path === undefined) {
    throw new ToolError('ERR_HOST', `Cannot map ids: there is no ${tool}, which an ordinary user needs for it`);
  }
  const args = [pid, ...ranges.flatMap(({ inside, outside, count }) => [inside, outside, count])];
  await runTool(path, args.map(String), signal);
}

async function runTool(path: string, args: string[], signal: AbortSignal | undefined): Promise<void> {
  const child = spawn(path, args, { env: {}, cwd: '/', stdio: ['ignore', 'ignore', 'pipe'], signal });
  let message = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    message = (message + text).slice(0, MAX_MESSAGE);
  });
  const status = await new Promise<number | string>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signalName) => resolve(code ?? signalName ?? 'unknown'));
  });
  if (status === 0) return;
  const isPowerless = message.includes('Operation not permitted'); // what the kernel says to it; else it refuses by itself
  throw new ToolError(
    'ERR_HOST',
    `Cannot map ids: ${path} ${args.join(' ')} ended with ${status}: ${printable(message.trim())}`,
    {
      hint: isPowerless
        ? obstacleText(powerlessIdMapToolsObstacle([path], process.geteuid?.() ?? 0))
        : 'The ranges must stand in /etc/subuid and /etc/subgid.',
    },
  );
}
