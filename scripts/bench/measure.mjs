// Runs commands and says how long they took and how much memory they held.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * @typedef {object} Command A program to run.
 * @property {string[]} argv The program first.
 * @property {Record<string, string>} [env] Is added to that of the benchmark.
 * @property {string} [cwd]
 */

/** Seconds. @param {Command} command */
export async function timeCommand({ argv, env = {}, cwd }) {
  const began = performance.now();
  const child = start({ argv, env, cwd });
  await ended(child, argv);
  return (performance.now() - began) / 1000;
}

/** Bytes that the command, all its descendants and those of the `daemons` (pids) held together at the worst moment that was looked at. */
export async function peakMemory(command, daemons = []) {
  const child = start(command);
  const over = new AbortController();
  const done = ended(child, command.argv).finally(() => over.abort());
  done.catch(() => undefined); // told below
  let peak = 0;
  while (!over.signal.aborted) {
    peak = Math.max(peak, memoryOf([child.pid, ...daemons]));
    await pause(SAMPLE_MS);
  }
  await done;
  return peak;
}

const SAMPLE_MS = 20;

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Parsing a machine's certificates costs Node 20 45 ms at each start, and is no part of what is measured.
const { NODE_EXTRA_CA_CERTS: _, ...ENVIRONMENT } = process.env;

function start({ argv: [program, ...args], env = {}, cwd }) {
  return spawn(program, args, { env: { ...ENVIRONMENT, ...env }, cwd, stdio: ['ignore', 'ignore', 'pipe'] });
}

async function ended(child, argv) {
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (stderr = (stderr + text).slice(-2000)));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${argv.join(' ')} ended with ${code ?? signal}: ${stderr}`));
    });
  });
}

/** Proportional set sizes: pages that processes share count once. */
function memoryOf(roots) {
  const children = new Map();
  for (const name of readdirSync('/proc')) {
    const stat = /^\d+$/.test(name) ? readIfThere(`/proc/${name}/stat`) : '';
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 1).split(' ')[2]);
    if (stat !== '') children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const bytesOf = (pid) =>
    Number(/^Pss:\s+(\d+)/m.exec(readIfThere(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) * 1024 +
    (children.get(pid) ?? []).map(bytesOf).reduce((sum, bytes) => sum + bytes, 0);
  return roots.map(bytesOf).reduce((sum, bytes) => sum + bytes, 0);
}

function readIfThere(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // it has ended
  }
}
