import type { VerifyReport } from '../../image/verify/verify-store.ts';
import type { CliCommand } from '../command-spec.ts';
import { defineCommand } from '../define-command.ts';
import { findingText } from '../finding-text.ts';
import { booleanFlag } from '../flags.ts';
import { interruptible } from '../interruptible.ts';
import { insecureRegistryFlag } from '../network-flags.ts';

const flags = {
  deep: booleanFlag({ about: 'Compare every file in the unpacked layers as well' }),
  'insecure-registry': insecureRegistryFlag,
  repair: booleanFlag({ about: 'Download and unpack again what is damaged, and nothing else' }),
};

/** Exits with 1 if something is damaged, and has not been repaired. */
export const verifyCommand: CliCommand = defineCommand(
  {
    usage: '[OPTIONS] [IMAGE]',
    about: 'Find, and repair, what is damaged in the store',
    paths: ['image verify', 'verify'],
    flags,
    takes: [0, 1],
  },
  async ({ flags: { deep, repair, ...given }, operands: [image] }, context) =>
    interruptible(context, async ({ signal }) => {
      const { stdout, home, env } = context;
      const report = await context.engine.verify({
        home,
        env,
        insecureRegistries: given['insecure-registry'],
        image,
        deep,
        repair,
        signal,
        onFinding: (finding) => stdout.write(`${findingText(finding)}\n`),
      });
      stdout.write(`${summary(report)}\n`);
      const left = report.findings.filter((finding) => finding.repair?.isDone !== true).length;
      if (left > 0 && !repair) stdout.write('To repair what can be repaired: mydocker verify --repair\n');
      return left === 0 ? 0 : 1;
    }),
);

function summary({ images, blobs, layers, findings }: VerifyReport): string {
  const seen = `Verified ${count(images, 'image')}, ${count(blobs, 'blob')} and ${count(layers, 'layer')}`;
  if (findings.length === 0) return `${seen}: nothing is damaged`;
  const repaired = findings.filter(({ repair }) => repair?.isDone === true).length;
  return `${seen}: ${count(findings.length, 'problem')}, ${repaired} repaired`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
