import { afterAll, beforeAll, describe } from 'vitest';

import { parseCapabilities } from '../../../src/container/parse-capabilities.ts';
import { DEFAULT_SECURITY, PRIVILEGED_SECURITY } from '../../../src/container/parse-security.ts';
import type { SecurityOptions } from '../../../src/container/parse-security.ts';
import { requires } from '../../support/requirements.ts';
import { createBox, layBusybox } from './box.ts';
import type { Box, Caller, Layer, Outcome, RunOptions, RunSettings } from './box.ts';
import { buildProbe } from './build-probe.ts';
import { CALLERS } from './callers.ts';

/** Runs commands of the probe (probe/main.c) in new containers. */
export interface Probed {
  caller: Caller;
  /** There from the first test on. Its image has a busybox and the probe. */
  box: Box;
  /** What the command prints, in lines; a run that fails throws. */
  lines: (words: readonly string[], settings?: RunSettings) => Promise<string[]>;
  /** The same, for lines of `subject: answer`. */
  answers: (words: readonly string[], settings?: RunSettings) => Promise<Record<string, string>>;
}

/** A `describe` for each kind of caller, whose containers have the probe in them; `layers` lie on top. */
export function describeProbed(subject: string, define: (probed: Probed) => void, layers: Layer[] = []): void {
  for (const { caller, needs } of CALLERS) {
    describe(`${subject} as ${caller}`, { ...needs, ...requires('cc') }, () => {
      let box: Box | undefined;
      beforeAll(() => {
        box = createBox(caller, [layBusybox, buildProbe, ...layers]);
      });
      afterAll(() => box?.remove());
      const present = (): Box => {
        if (box === undefined) throw new Error('There is no box before the first test');
        return box;
      };
      const lines: Probed['lines'] = async (words, settings) =>
        linesOf(await present().run(['/probe', ...words], settings));
      define({
        caller,
        get box() {
          return present();
        },
        lines,
        answers: async (words, settings) => answersIn(await lines(words, settings)),
      });
    });
  }
}

/** The filter of system calls left out: what else holds has to hold by itself. */
export const UNFILTERED: SecurityOptions = { ...DEFAULT_SECURITY, seccomp: 'unconfined' };

/** `--privileged`. */
export const PRIVILEGED: RunOptions = {
  privileged: true,
  security: PRIVILEGED_SECURITY,
  capabilities: parseCapabilities({ add: [], drop: [], privileged: true }),
};

/** Lines of `subject: answer`. */
export function answersIn(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.lastIndexOf(': ');
      return [line.slice(0, end), line.slice(end + 2)];
    }),
  );
}

/** The same answer for each subject. */
export function allOf(subjects: readonly string[], answer: unknown): Record<string, unknown> {
  return Object.fromEntries(subjects.map((subject) => [subject, answer]));
}

function linesOf({ stdout, stderr, failure }: Outcome): string[] {
  if (failure !== undefined || stderr !== '') throw new Error(failure?.message ?? stderr);
  return stdout.split('\n').filter((line) => line !== '');
}
