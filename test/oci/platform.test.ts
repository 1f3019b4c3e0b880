import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import { parseDescriptor } from '../../src/oci/descriptor.ts';
import { MEDIA_TYPES } from '../../src/oci/media-types.ts';
import {
  choosePlatform,
  formatPlatform,
  hostPlatform,
  parsePlatform,
  platformMatches,
} from '../../src/oci/platform.ts';
import { descriptorJson, digestOfText } from './support/documents.ts';
import { expectToolError } from './support/expect-tool-error.ts';

/** An index entry for `os/arch[/variant]`, or without a platform for ''. */
function entry(platform: string, more: Record<string, unknown> = {}): Descriptor {
  const [os, architecture, variant] = platform.split('/');
  const json = descriptorJson(MEDIA_TYPES.ociManifest, { digest: digestOfText(platform), ...more });
  return parseDescriptor(platform === '' ? json : { ...json, platform: { os, architecture, variant } }, 'entry');
}

function choice(offered: string[], wanted: string): string | undefined {
  const chosen = choosePlatform(
    offered.map((platform) => entry(platform)),
    parsePlatform(wanted),
  );
  return chosen && (chosen.platform ? formatPlatform(chosen.platform) : 'no platform');
}

describe('parsePlatform()', () => {
  test.each([
    ['linux/amd64', 'linux/amd64'],
    ['amd64', 'linux/amd64'],
    ['x86_64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/amd64/v3', 'linux/amd64/v3'],
    ['LINUX/AMD64', 'linux/amd64'],
    ['i386', 'linux/386'],
    ['arm64', 'linux/arm64'],
    ['aarch64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/arm64/v8.0', 'linux/arm64'],
    ['linux/arm64/v9', 'linux/arm64/v9'],
    ['arm', 'linux/arm/v7'],
    ['armhf', 'linux/arm/v7'],
    ['armel', 'linux/arm/v6'],
    ['linux/arm/6', 'linux/arm/v6'],
    ['linux/arm/v7', 'linux/arm/v7'],
    ['linux/s390x', 'linux/s390x'],
    ['riscv64', 'linux/riscv64'],
    ['windows/amd64', 'windows/amd64'],
  ])('reads %s as %s', (text, formatted) => {
    expect(formatPlatform(parsePlatform(text))).toBe(formatted);
  });

  test.each([
    ['', 'was wanted'],
    ['/', 'was wanted'],
    ['linux/', 'was wanted'],
    ['/amd64', 'was wanted'],
    ['linux/arm/v7/x', 'was wanted'],
    ['linux /amd64', 'was wanted'],
    ['linux/amd64,linux/arm64', 'was wanted'],
    ['\u001b[31m', 'was wanted'],
    ['linux', 'it names no architecture, such as linux/amd64'],
  ])('refuses %j', (text, reason) => {
    expectToolError(() => parsePlatform(text), 'ERR_USAGE', reason);
  });

  test('reads its own format to the same platform', () => {
    const word = fc.stringMatching(/^[a-z0-9_]{1,8}$/);
    fc.assert(
      fc.property(fc.constantFrom('linux', 'windows'), word, fc.option(word), (os, architecture, variant) => {
        const once = parsePlatform([os, architecture, ...(variant === null ? [] : [variant])].join('/'));
        expect(parsePlatform(formatPlatform(once))).toEqual(once);
        expect(platformMatches(once, once)).toBe(true);
      }),
    );
  });
});

test('C11 formatPlatform() escapes what a terminal would act on', () => {
  expect(formatPlatform({ os: 'linux', architecture: 'a\u001b[2J', variant: 'v\n1' })).toBe('linux/a\\x1b[2J/v\\n1');
});

test.each([
  ['x64', 'linux/amd64'],
  ['ia32', 'linux/386'],
  ['arm64', 'linux/arm64'],
  ['arm', 'linux/arm/v7'],
  ['ppc64', 'linux/ppc64le'],
  ['s390x', 'linux/s390x'],
  ['riscv64', 'linux/riscv64'],
  ['loong64', 'linux/loong64'],
])('hostPlatform() maps %s to %s', (nodeArch, formatted) => {
  expect(formatPlatform(hostPlatform(nodeArch))).toBe(formatted);
});

describe('choosePlatform()', () => {
  test.each([
    [['linux/arm64', 'linux/amd64'], 'amd64', 'linux/amd64'],
    [['linux/arm64/v8', 'linux/arm/v7'], 'arm64', 'linux/arm64/v8'],
    [['linux/arm/v6', 'linux/arm/v7', 'linux/arm/v5'], 'arm', 'linux/arm/v7'],
    [['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v7', 'linux/arm/v6'],
    [['linux/arm/v8', 'linux/arm/v7'], 'linux/arm/v6', undefined],
    [['linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v8', 'linux/arm/v7'],
    [['linux/arm'], 'linux/arm/v7', 'linux/arm'],
    [['linux/arm/v5'], 'arm', 'linux/arm/v5'],
    [['linux/arm/v6', 'linux/arm/v8'], 'arm64', 'linux/arm/v8'],
    [['linux/amd64/v2', 'linux/amd64', 'linux/amd64/v3'], 'linux/amd64/v3', 'linux/amd64/v3'],
    [['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v3', 'linux/amd64/v2'],
    [['linux/amd64/v2'], 'amd64', undefined],
    [['linux/amd64/v1'], 'amd64', 'linux/amd64/v1'],
    [['linux/386', 'linux/amd64'], 'amd64', 'linux/amd64'],
    [['linux/386'], 'amd64', 'linux/386'],
    [['linux/amd64'], '386', undefined],
    [['windows/amd64', 'linux/s390x'], 'amd64', undefined],
    [['linux/x86_64'], 'amd64', 'linux/x86_64'],
    [['linux/amd64/nonsense'], 'amd64', undefined],
    [[], 'amd64', undefined],
    [[''], 'amd64', 'no platform'],
    [['', ''], 'amd64', undefined],
    [['', 'linux/arm64'], 'amd64', undefined],
    [['', 'linux/amd64'], 'amd64', 'linux/amd64'],
    [['', 'unknown/unknown'], 'amd64', 'no platform'],
    [['unknown/unknown'], 'amd64', undefined],
  ])('R23 of %j for %s takes %s', (offered, wanted, expected) => {
    expect(choice(offered, wanted)).toBe(expected);
  });

  test('R23 takes the first of two equal matches', () => {
    const [first, second] = [entry('linux/amd64'), entry('linux/amd64', { digest: digestOfText('second') })];
    expect(choosePlatform([first, second], hostPlatform('x64'))).toBe(first);
  });

  test.each([
    ['an attestation', { annotations: { 'vnd.docker.reference.type': 'attestation-manifest' } }],
    ['an artifact', { artifactType: 'application/spdx+json' }],
    ['what is no manifest', { mediaType: 'application/vnd.oci.image.layer.v1.tar' }],
  ])('R23 passes over %s', (_title, more) => {
    const [other, image] = [entry('linux/amd64', more), entry('linux/amd64')];
    expect(choosePlatform([other, image], hostPlatform('x64'))).toBe(image);
    expect(choosePlatform([other], hostPlatform('x64'))).toBeUndefined();
  });

  test('R22 takes a nested index', () => {
    const nested = entry('', { mediaType: MEDIA_TYPES.dockerIndex });
    expect(choosePlatform([nested], hostPlatform('x64'))).toBe(nested);
  });

  test('chooses nothing that platformMatches() denies', () => {
    const platform = fc.constantFrom(
      'linux/amd64',
      'linux/amd64/v2',
      'linux/386',
      'linux/arm64',
      'linux/arm/v6',
      'linux/arm',
      'windows/amd64',
    );
    fc.assert(
      fc.property(fc.array(platform), platform, (offered, wanted) => {
        const chosen = choosePlatform(
          offered.map((name) => entry(name)),
          parsePlatform(wanted),
        );
        const matching = offered.filter((name) => platformMatches(parsePlatform(name), parsePlatform(wanted)));
        expect(chosen !== undefined).toBe(matching.length > 0);
        if (chosen) expect(matching).toContain(formatPlatform(chosen.platform!));
      }),
    );
  });
});
