import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ToolError } from '../../src/errors.ts';
import {
  familiarName,
  familiarReference,
  formatReference,
  parseReference,
  withDefaultTag,
} from '../../src/oci/reference.ts';
import { expectToolError } from './support/expect-tool-error.ts';

const HEX = '1a3f5e7d9c1b3a5f7e9d1c3b5a7f9e1d3c5b7a9f1e3d5d7c9b1a3f5e7d9c1b3a';
const SHA256 = `sha256:${HEX}`;
const SHA512 = `sha512:${HEX}${HEX}`;

const alphanumeric = fc.stringMatching(/^[a-z0-9]{1,6}$/);
const component = fc.stringMatching(/^[a-z0-9]{1,4}(?:(?:[._]|__|-{1,3})[a-z0-9]{1,4}){0,2}$/);
const label = fc.stringMatching(/^[A-Za-z](?:[A-Za-z0-9-]{0,4}[A-Za-z0-9])?$/);
const host = fc.oneof(
  fc.constantFrom('localhost', '[::1]', '[2001:db8::1]', '127.0.0.1', 'docker.io', 'Registry', 'xn--n3h.com'),
  fc.tuple(label, label).map((labels) => labels.join('.')),
);
const registry = fc.oneof(
  host,
  fc.tuple(host, fc.integer({ min: 1, max: 65_535 })).map(([name, port]) => `${name}:${port}`),
);
const references = fc.record({
  registry: registry.map((name) => `${name}/`),
  path: fc.array(fc.oneof(component, alphanumeric), { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/')),
  tag: fc.option(fc.stringMatching(/^\w[\w.-]{0,20}$/), { nil: undefined }),
  digest: fc.option(fc.constantFrom(SHA256, SHA512), { nil: undefined }),
});
const texts = references.map(({ registry: at, path, tag, digest }) => {
  const isHostNeeded = /^[^/]*\.[^/]*\//.test(path); // else the first part would be taken for one
  const name = isHostNeeded || path.length % 2 === 0 ? `${at}${path}` : path;
  return `${name}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
});

describe('parseReference()', () => {
  // What distribution/reference accepts, with the registry and the repository that it finds.
  test.each([
    ['alpine', 'docker.io', 'library/alpine'],
    ['library/alpine', 'docker.io', 'library/alpine'],
    ['docker.io/alpine', 'docker.io', 'library/alpine'],
    ['docker.io/library/alpine', 'docker.io', 'library/alpine'],
    ['index.docker.io/alpine', 'docker.io', 'library/alpine'],
    ['index.docker.io/team/app', 'docker.io', 'team/app'],
    ['team/app', 'docker.io', 'team/app'],
    ['docker.io/library/a/b', 'docker.io', 'library/a/b'],
    ['docker.io:443/alpine', 'docker.io:443', 'alpine'],
    ['localhost/alpine', 'localhost', 'alpine'],
    ['localhost', 'docker.io', 'library/localhost'],
    ['example.com', 'docker.io', 'library/example.com'],
    ['index.docker.io', 'docker.io', 'library/index.docker.io'],
    ['under_score/app', 'docker.io', 'under_score/app'],
    ['sub-dom1.foo.com/bar/baz/quux', 'sub-dom1.foo.com', 'bar/baz/quux'],
    ['b.gcr.io/test.example.com/my-app', 'b.gcr.io', 'test.example.com/my-app'],
    ['xn--n3h.com/image', 'xn--n3h.com', 'image'],
    ['xn--n3h.com:18080/image', 'xn--n3h.com:18080', 'image'],
    ['test:5000/repo', 'test:5000', 'repo'],
    ['192.168.1.1', 'docker.io', 'library/192.168.1.1'],
    ['192.168.0.1:8/debian', '192.168.0.1:8', 'debian'],
    ['[::1]/repo', '[::1]', 'repo'],
    ['[2001:db8::]:5000/repo', '[2001:db8::]:5000', 'repo'],
    ['[2001:db8:1:2:3:4:5:6]/a/b', '[2001:db8:1:2:3:4:5:6]', 'a/b'],
    // An upper-case namespace cannot be one of Docker Hub, so it is taken for a host.
    ['Foo/bar', 'Foo', 'bar'],
    ['FOO/bar', 'FOO', 'bar'],
    // 64 digits are ambiguous only alone.
    [`docker.io/${HEX}`, 'docker.io', `library/${HEX}`],
    [HEX.slice(1), 'docker.io', `library/${HEX.slice(1)}`],
    [
      'thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev',
      'docker.io',
      'library/thisisthesongthatneverendsitgoesonandonandonthisisthesongthatnev',
    ],
    ['d/t', 'docker.io', 'd/t'],
    ['docker---rules/x', 'docker.io', 'docker---rules/x'],
    ['dock__er/x', 'docker.io', 'dock__er/x'],
    ['x/a.b_c', 'docker.io', 'x/a.b_c'],
    [`${'a/'.repeat(127)}a`, 'docker.io', `${'a/'.repeat(127)}a`],
    [`example.com/${'a'.repeat(255)}`, 'example.com', 'a'.repeat(255)],
  ])('reads %s as registry %s, repository %s', (text, expectedRegistry, repository) => {
    expect(parseReference(text)).toStrictEqual({ registry: expectedRegistry, repository });
  });

  test.each([
    ['alpine:3.19', '3.19', undefined],
    ['test.com:5000', '5000', undefined],
    ['foo_bar.com:8080', '8080', undefined],
    ['192.168.0.1:80', '80', undefined],
    ['192.168.1.1:5000/repo:5050', '5050', undefined],
    ['lowercase:Uppercase', 'Uppercase', undefined],
    ['repo:_', '_', undefined],
    ['repo:a..b--c_', 'a..b--c_', undefined],
    [`repo:${'t'.repeat(128)}`, 't'.repeat(128), undefined],
    [`repo@${SHA256}`, undefined, SHA256],
    [`test:5000/repo:tag@${SHA256}`, 'tag', SHA256],
    [`[2001:db8::1]:5000/repo:tag@${SHA512}`, 'tag', SHA512],
    [`${HEX}:latest`, 'latest', undefined],
    [`sha256:${HEX}`, HEX, undefined],
  ])('finds in %s the tag %s and the digest %s', (text, tag, digest) => {
    const parsed = parseReference(text);
    expect({ tag: parsed.tag, digest: parsed.digest }).toEqual({ tag, digest });
  });

  test.each([
    ['', 'it is empty'],
    [' ', 'white space'],
    [' alpine', 'white space'],
    ['alpine\n', 'white space'],
    ['alp ine', 'white space'],
    ['alpine:3\t19', 'white space'],
    ['alpine\u00a0', 'white space'],
    ['https://ghcr.io/a/b', 'it starts with "https://", a reference has no scheme'],
    ['docker://alpine', 'it starts with "docker://"'],
    ['HTTP://alpine', 'it starts with "HTTP://"'],
    [HEX, '64 hexadecimal digits are an image ID'],
    [':justtag', 'repository name is missing'],
    [`@${SHA256}`, 'repository name is missing'],
    ['example.com/', 'repository name is missing'],
    ['example.com/:tag', 'repository name is missing'],
  ])('refuses %j', (text, reason) => {
    expectToolError(() => parseReference(text), 'ERR_REFERENCE', reason);
  });

  test.each([
    ['Alpine', 'must be lowercase'],
    ['Uppercase:tag', 'must be lowercase'],
    ['docker/Docker', 'must be lowercase'],
    ['docker.io/docker/Docker', 'must be lowercase'],
    ['test:5000/Uppercase/lowercase:tag', 'must be lowercase'],
    ['\u00c9cole', 'must be lowercase'],
    ['aa/asdf$$^/aa', 'contains "$"'],
    ['a/%2f', 'contains "%"'],
    ['a?b', 'contains "?"'],
    ['a\\b', 'contains "\\"'],
    ['\u00e9cole', 'contains "\u00e9"'],
    ['a/\u{1f433}', 'contains "\u{1f433}"'],
    ['a\0b', 'contains "\\x00"'],
    ['a\u001b[31m', 'contains "\\x1b"'],
    ['[2001:db8::1]', 'contains "["'],
    ['/alpine', 'has an empty part'],
    ['docker/', 'has an empty part'],
    ['docker///docker', 'has an empty part'],
    ['a/b/', 'has an empty part'],
    ['-docker', 'part "-docker" must start and end with'],
    ['-docker/docker', 'part "-docker" must start and end with'],
    ['docker-/docker', 'part "docker-" must start and end with'],
    ['_docker/_docker', 'part "_docker" must start and end with'],
    ['____/____', 'part "____" must start and end with'],
    ['a/.', 'part "." must start and end with'],
    ['a/../b', 'part ".." must start and end with'],
    ['docker/a..b', 'part "a..b" contains ".."'],
    ['docker/a_.b', 'part "a_.b" contains "_."'],
    ['docker/a-.b', 'part "a-.b" contains "-."'],
    ['docker/a___b', 'part "a___b" contains "___"'],
    [`${'a/'.repeat(128)}a`, 'has 257 characters, 255 are allowed'],
    ['a'.repeat(248), 'has 256 characters, 255 are allowed'],
  ])('R63 refuses the repository of %j', (text, reason) => {
    expectToolError(() => parseReference(text), 'ERR_REFERENCE', reason);
  });

  test.each([
    ['alpine:', 'tag after ":" is empty'],
    ['alpine:-foo', 'tag starts with "-"'],
    ['alpine:.foo', 'tag starts with "."'],
    ['alpine:..', 'tag starts with "."'],
    ['alpine:3.19:x', 'tag contains ":"'],
    ['alpine:a/b', 'registry port "a"'],
    ['team/alpine:a/b', 'tag contains "/"'],
    ['alpine:%2f', 'tag contains "%"'],
    ['alpine:a?b', 'tag contains "?"'],
    ['alpine:\u00e9', 'tag contains "\u00e9"'],
    [`alpine:${'t'.repeat(129)}`, 'tag has 129 characters, 128 are allowed'],
  ])('R63 refuses the tag of %j', (text, reason) => {
    expectToolError(() => parseReference(text), 'ERR_REFERENCE', reason);
  });

  test.each([
    ['alpine@', 'digest after "@" is empty'],
    ['alpine@sha256', 'digest has no ":"'],
    [`repo@sha256:${'f'.repeat(34)}`, 'it has 34 hexadecimal digits and sha256 has 64'],
    [`repo@invaliddigest:${'f'.repeat(64)}`, 'unsupported digest algorithm "invaliddigest"'],
    [`repo@sha384:${'f'.repeat(96)}`, 'unsupported digest algorithm "sha384"'],
    [`repo@sha256:${HEX.toUpperCase()}`, 'only lower-case hexadecimal digits'],
    [`repo@${SHA256}@${SHA256}`, 'only lower-case hexadecimal digits'],
    [`repo@${SHA256}:tag`, 'only lower-case hexadecimal digits'],
  ])('R63 refuses the digest of %j', (text, reason) => {
    expectToolError(() => parseReference(text), 'ERR_REFERENCE', reason);
  });

  test.each([
    ['-docker.io/a', 'registry host "-docker.io" is not a host name'],
    ['a-.com/b', 'registry host "a-.com" is not a host name'],
    ['foo_bar.com/a', 'registry host "foo_bar.com" is not a host name'],
    ['example.com./a', 'registry host "example.com." is not a host name'],
    ['./a', 'registry host "." is not a host name'],
    ['../a', 'registry host ".." is not a host name'],
    [':5000/a', 'registry host "" is not a host name'],
    ['user:pass@example.com/a', 'digest has no ":"'],
    ['fc00::1:5000/debian', 'more than one ":"'],
    ['a:b:c/d', 'more than one ":"'],
    ['[fe80::1%eth0]:5000/debian', '"[fe80::1%eth0]" is not an IPv6 address'],
    ['[2001:db8:3:4::192.0.2.33]:5000/debian', 'is not an IPv6 address'],
    ['[::::]/a', '"[::::]" is not an IPv6 address'],
    ['[]:80/a', '"[]" is not an IPv6 address'],
    ['[::1/a', '"[::1" is not an IPv6 address'],
    ['[a.b/c', '"[a.b" is not an IPv6 address'],
    ['[::1]]/a', '"[::1]]" is not an IPv6 address'],
    ['[::1]80/a', '"[::1]80" is not an IPv6 address'],
    ['127.1/a', '"127.1" is not a host name or address as a URL has it'],
    ['1.2.3.256/a', '"1.2.3.256" is not a host name or address as a URL has it'],
    ['2130706433:5000/a', '"2130706433" is not a host name or address as a URL has it'],
    ['0x7f.1:80/a', '"0x7f.1" is not a host name or address as a URL has it'],
    ['127.0.0.0x1/a', '"127.0.0.0x1" is not a host name or address as a URL has it'],
    ['xn--a.com/a', '"xn--a.com" is not a host name or address as a URL has it'],
    ['example.com:/a', 'registry port "" is not a number from 1 to 65535'],
    ['example.com:tag/a', 'registry port "tag"'],
    ['example.com:0/a', 'registry port "0"'],
    ['example.com:65536/a', 'registry port "65536"'],
    ['example.com:99999999999999999999/a', 'registry port "99999999999999999999"'],
    ['example.com:+80/a', 'registry port "+80"'],
  ])('A17 refuses the registry of %j', (text, reason) => {
    expectToolError(() => parseReference(text), 'ERR_REFERENCE', reason);
  });

  test('gives the reason for long parts too', () => {
    const long = 'a'.repeat(250);
    for (const text of [
      `x/-${long}`,
      `x/${long}..b`,
      `x/a${'.'.repeat(250)}b`,
      `${long}_.com/x`,
      `a:${long}/x`,
      `${long}://x`,
    ]) {
      expectToolError(() => parseReference(text), 'ERR_REFERENCE', '…');
      expect(() => parseReference(text)).toThrow(/must start and end|was wanted|is not a|has no scheme/);
    }
  });

  test('says what was given', () => {
    expectToolError(
      () => parseReference('Alpine'),
      'ERR_REFERENCE',
      'Cannot parse image reference "Alpine": invalid reference format: repository name must be lowercase',
    );
  });

  test('R63 takes or refuses any text, and gives nothing that a URL would read as something else', () => {
    const noise = fc.string({ unit: fc.constantFrom(...Array.from('aZ09.-_:/@[]%?#\\ \n\u00e9\0')) });
    fc.assert(
      fc.property(fc.oneof(noise, fc.string({ unit: 'grapheme' })), (text) => {
        try {
          const { registry: at, repository, tag } = parseReference(text);
          const url = new URL(`https://${at}/v2/${repository}/manifests/${tag ?? 'latest'}`);
          expect(url.pathname).toBe(`/v2/${repository}/manifests/${tag ?? 'latest'}`);
          expect(url.search + url.hash + url.username).toBe('');
        } catch (error) {
          expect(error).toBeInstanceOf(ToolError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('takes long hostile input in linear time', () => {
    for (const text of [
      'a'.repeat(1_000_000),
      `a${'-'.repeat(1_000_000)}`,
      'a/'.repeat(500_000),
      `a:${'.'.repeat(1_000_000)}`,
    ]) {
      expect(() => parseReference(text)).toThrow(ToolError);
    }
  });
});

describe('formatReference()', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3.19', 'docker.io/library/alpine:3.19'],
    [`alpine:3.19@${SHA256}`, `docker.io/library/alpine:3.19@${SHA256}`],
    [`localhost:5000/a/b@${SHA256}`, `localhost:5000/a/b@${SHA256}`],
  ])('writes %s as %s', (text, formatted) => {
    expect(formatReference(parseReference(text))).toBe(formatted);
  });

  test('is read back to the same reference', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = parseReference(text);
        expect(parseReference(formatReference(once))).toStrictEqual(once);
      }),
    );
  });
});

describe('withDefaultTag()', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.19', 'docker.io/library/alpine:3.19'],
    [`alpine@${SHA256}`, `docker.io/library/alpine@${SHA256}`],
  ])('makes %s %s', (text, formatted) => {
    expect(formatReference(withDefaultTag(parseReference(text)))).toBe(formatted);
  });
});

describe('familiarReference()', () => {
  test.each([
    ['docker.io/library/alpine:3.19', 'alpine:3.19'],
    [`docker.io/library/alpine@${SHA256}`, `alpine@${SHA256}`],
    [`docker.io/library/alpine:latest@${SHA256}`, `alpine:latest@${SHA256}`],
    ['index.docker.io/team/app', 'team/app'],
    ['docker.io/library/a/b', 'library/a/b'],
    ['docker.io/team/library', 'team/library'],
    ['127.0.0.1:8000/library/app', '127.0.0.1:8000/library/app'],
    ['Foo/bar', 'Foo/bar'],
    // Shortened, these would name something else.
    ['docker.io/ghcr.io/tool', 'docker.io/ghcr.io/tool'],
    ['docker.io/localhost/tool', 'docker.io/localhost/tool'],
    [`docker.io/${HEX}`, `docker.io/library/${HEX}`],
  ])('shortens %s to %s', (text, familiar) => {
    expect(familiarReference(parseReference(text))).toBe(familiar);
  });

  test('is read back to the same reference', () => {
    fc.assert(
      fc.property(texts, (text) => {
        const once = parseReference(text);
        expect(parseReference(familiarReference(once))).toStrictEqual(once);
        expect(familiarReference(once).startsWith(familiarName(once))).toBe(true);
      }),
    );
  });
});
