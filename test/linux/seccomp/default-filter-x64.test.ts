import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { DEFAULT_CAPABILITIES } from '../../../src/linux/capabilities.ts';
import { compileFilter } from '../../../src/linux/seccomp/compile-filter.ts';
import { DEFAULT_FILTER_X64 } from '../../../src/linux/seccomp/default-filter-x64.ts';
import { parseSeccompProfile } from '../../../src/linux/seccomp/parse-profile.ts';

const PROFILE = new URL('../../../src/linux/seccomp/docker-default.json', import.meta.url);

describe('DEFAULT_FILTER_X64', () => {
  it("is docker's profile compiled for docker's capabilities", () => {
    const filter = compileFilter(parseSeccompProfile(readFileSync(PROFILE), 'docker-default.json'), {
      architecture: 'amd64',
      capabilities: new Set(DEFAULT_CAPABILITIES.map((name) => `CAP_${name}`)),
      kernelRelease: '5.12.0', // the oldest that this engine runs on
    });
    expect(inLines(filter.toString('base64'))).toBe(inLines(DEFAULT_FILTER_X64));
  });
});

function inLines(base64: string): string {
  const lines = base64.match(/.{1,100}/g) ?? [];
  return `\n${lines.map((line) => `  '${line}',`).join('\n')}\n`;
}
