import type { HostFinding } from '../container/doctor/host-finding.ts';
import { makeStruct } from './go-template/value.ts';
import type { StructValue } from './go-template/value.ts';

export const HOST_FINDING_TITLES: Readonly<Record<string, string>> = {
  State: 'STATE',
  Check: 'CHECK',
  Found: 'FOUND',
  Meaning: 'MEANING',
  Remedy: 'REMEDY',
};

export function hostFindingRow({ check, state, found, meaning = '', remedy = '' }: HostFinding): StructValue {
  return makeStruct('*formatter.hostFindingContext', {
    State: () => state,
    Check: () => check,
    Found: () => found,
    Meaning: () => meaning,
    Remedy: () => remedy,
  });
}

/** A line for each finding, and below it what it means and how to mend it. Nothing is wrapped: a remedy is there to be copied. */
export function hostReportText(
  findings: readonly HostFinding[],
  { canRun, quiet }: { canRun: boolean; quiet: boolean },
): string {
  const width = Math.max(0, ...findings.map(({ check }) => check.length)) + GAP;
  const lines = findings.flatMap(({ check, state, found, meaning, remedy }) => [
    `${state.padEnd(STATE_WIDTH)}${check.padEnd(width)}${found}`,
    ...[...label('means', meaning), ...label('remedy', remedy)].map((line) => ' '.repeat(STATE_WIDTH + width) + line),
  ]);
  if (!quiet) lines.push('', canRun ? 'Containers can run here.' : 'Containers cannot run here.');
  return lines.map((line) => `${line}\n`).join('');
}

const GAP = 3; // spaces between columns
const STATE_WIDTH = 'problem'.length + GAP;

function label(name: string, text: string | undefined): string[] {
  return text === undefined ? [] : [`${name}: ${text}`];
}
