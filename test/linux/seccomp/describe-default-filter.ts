import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { DEFAULT_CAPABILITIES } from '../../../src/linux/capabilities.ts';
import type { FilterTarget } from '../../../src/linux/seccomp/applicable-rules.ts';
import { compileFilter } from '../../../src/linux/seccomp/compile-filter.ts';
import { parseSeccompProfile } from '../../../src/linux/seccomp/parse-profile.ts';
import { syscallTable, type Abi } from '../../../src/linux/seccomp/syscall-tables.ts';
import { ANSWER, AUDIT, runFilter } from './run-filter.ts';

const PROFILE = readFileSync(new URL('../../../src/linux/seccomp/docker-default.json', import.meta.url));
const CAPABILITIES = new Set(DEFAULT_CAPABILITIES.map((name) => `CAP_${name}`));

export interface DefaultFilter {
  filter: string;
  architecture: FilterTarget['architecture'];
  /** The machine's own programs, and the 32-bit ones that it also runs. */
  abis: readonly Abi[];
}

/** What holds of the filter that is compiled already, for any machine. */
export function describeDefaultFilter(title: string, { filter: base64, architecture, abis }: DefaultFilter): void {
  const filter = Buffer.from(base64, 'base64');

  describe(title, () => {
    it("is docker's profile compiled for docker's capabilities", () => {
      const compiled = compileFilter(parseSeccompProfile(PROFILE, 'docker-default.json'), {
        architecture,
        capabilities: CAPABILITIES,
        kernelRelease: '5.12.0', // the oldest that this engine runs on
      });
      expect(inLines(compiled.toString('base64'))).toBe(inLines(base64));
    });

    it.each(abis)('C7 C8 X20 X21 answers every call of %s as the profile says, whatever its first argument', (abi) => {
      const values = abi === abis[0] ? [...FIRST_ARGUMENTS, ...FIRST_ARGUMENTS.map(withUpperBit)] : FIRST_ARGUMENTS;
      const table = syscallTable(abi);
      const highest = highestNamed(table);
      const asked = [...table].flatMap(([name, number]) => values.map((argument) => ({ name, number, argument })));
      const wrong = asked.filter(({ name, number, argument }) => {
        const rules = RULES.filter((rule) => rule.names.includes(name) && applies(rule, architecture));
        const otherwise = number > highest && number < ARM_PRIVATE_BASE ? ANSWER.enosys : ANSWER.eperm;
        const answer = runFilter(filter, { architecture: AUDIT[abi], number, args: [argument] });
        return answer !== (said(rules, name, argument) ?? otherwise);
      });
      expect(asked.length).toBeGreaterThan(7000);
      expect(wrong).toEqual([]);
    });

    it.each(abis)('answers numbers that are no call of %s, with ENOSYS above those that the profile names', (abi) => {
      const table = syscallTable(abi);
      const highest = highestNamed(table);
      const known = new Set(table.values());
      const unknown = [...Array(600).keys(), 0x40000000, 0xffffffff].filter((number) => !known.has(number));
      const wrong = unknown.filter((number) => {
        const answer = runFilter(filter, { architecture: AUDIT[abi], number });
        return answer !== (number > highest ? ANSWER.enosys : ANSWER.eperm);
      });
      expect(unknown.length).toBeGreaterThan(100);
      expect(wrong).toEqual([]);
    });

    it('kills programs of any other kind', () => {
      const others = Object.entries(AUDIT).filter(([abi]) => !abis.includes(abi as Abi));
      expect(others).toHaveLength(2);
      for (const [, audit] of others) {
        const answers = Array.from({ length: 500 }, (_, number) => runFilter(filter, { architecture: audit, number }));
        expect(new Set(answers)).toEqual(new Set([ANSWER.kill]));
      }
    });
  });
}

/** Personalities and families of sockets, and what is just beside those. */
const NUMBERS = [
  0n,
  1n,
  2n,
  7n,
  8n,
  9n,
  37n,
  38n,
  39n,
  40n,
  41n,
  0x20000n,
  0x20007n,
  0x20008n,
  0x0400000n,
  0xffffffffn,
];
const NAMESPACES = [0x20000n, 0x2000000n, 0x4000000n, 0x8000000n, 0x10000000n, 0x20000000n, 0x40000000n, 0x7e020000n];
const SIGCHLD = 17n;
const PLAIN_FORKS = [SIGCHLD, 0x1200000n + SIGCHLD, 0x80000000n + SIGCHLD];
const FIRST_ARGUMENTS = [...NUMBERS, ...PLAIN_FORKS, ...NAMESPACES.map((flag) => flag + SIGCHLD)];

function withUpperBit(argument: bigint): bigint {
  return argument | (1n << 32n);
}

interface Rule {
  names: string[];
  action: 'SCMP_ACT_ALLOW' | 'SCMP_ACT_ERRNO';
  errnoRet?: number;
  args?: { index: number; value: number; valueTwo?: number; op: string }[];
  includes?: { caps?: string[]; arches?: string[]; minKernel?: string };
  excludes?: { caps?: string[]; arches?: string[] };
}

const RULES = (JSON.parse(PROFILE.toString()) as { syscalls: Rule[] }).syscalls;

function applies({ includes = {}, excludes = {} }: Rule, architecture: string): boolean {
  const { caps = [], arches = [architecture] } = includes; // each kernel that this engine runs on is newer than any `minKernel`
  const isExcluded =
    (excludes.caps ?? []).some((name) => CAPABILITIES.has(name)) || (excludes.arches ?? []).includes(architecture);
  return caps.every((name) => CAPABILITIES.has(name)) && arches.includes(architecture) && !isExcluded;
}

/** Undefined where none of the rules of a call decides. */
function said(rules: readonly Rule[], name: string, argument: bigint): number | undefined {
  const isInt = name === 'socket' || name === 'personality'; // the kernel reads 32 bits of it
  const seen = isInt ? BigInt.asUintN(32, argument) : argument;
  const rule = rules.find(({ args = [] }) => args.every((condition) => holds(condition, seen)));
  if (rule === undefined) return undefined;
  return rule.action === 'SCMP_ACT_ALLOW' ? ANSWER.allow : 0x00050000 + (rule.errnoRet ?? 1);
}

function holds({ index, value, valueTwo = 0, op }: NonNullable<Rule['args']>[number], argument: bigint): boolean {
  expect(index).toBe(0); // all that docker's profile looks at, s390 left aside
  if (op === 'SCMP_CMP_EQ') return argument === BigInt(value);
  if (op === 'SCMP_CMP_LT') return argument < BigInt(value);
  if (op === 'SCMP_CMP_GT') return argument > BigInt(value);
  expect(op).toBe('SCMP_CMP_MASKED_EQ');
  return (argument & BigInt(value)) === BigInt(valueTwo);
}

function highestNamed(table: ReadonlyMap<string, number>): number {
  const numbers = RULES.flatMap(({ names }) => names.map((name) => table.get(name) ?? 0));
  return Math.max(...numbers.filter((number) => number < ARM_PRIVATE_BASE));
}

const ARM_PRIVATE_BASE = 0x0f0000; // __ARM_NR_BASE

/** As they stand in the source, to be copied from what a failing test prints. */
function inLines(base64: string): string {
  const lines = base64.match(/.{1,100}/g) ?? [];
  return `\n${lines.map((line) => `  '${line}',`).join('\n')}\n`;
}
