import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { parseVolume } from '../../src/container/parse-volume.ts';
import { isToolError } from '../../src/errors.ts';

describe('parseVolume()', () => {
  it.for([
    ['/host:/ctr', { source: '/host', target: '/ctr', readOnly: false }],
    ['/host:/ctr:ro', { source: '/host', target: '/ctr', readOnly: true }],
    ['/host:/ctr:rw,Z', { source: '/host', target: '/ctr', readOnly: false }],
    ['/host:/ctr:z,ro,cached', { source: '/host', target: '/ctr', readOnly: true }],
    ['.:/ctr', { source: '/here', target: '/ctr', readOnly: false }],
    ['./a b:/ctr', { source: '/here/a b', target: '/ctr', readOnly: false }],
    ['../x:/ctr', { source: '/x', target: '/ctr', readOnly: false }],
    ['/a/../b/:/c/./d//e/', { source: '/b/', target: '/c/d/e', readOnly: false }],
    ['/a:/../../etc', { source: '/a', target: '/etc', readOnly: false }],
    ['/only', { target: '/only', readOnly: false }],
  ] as const)('reads "%s"', ([text, expected]) => {
    expect(parseVolume(text, '/here')).toEqual(expected);
  });

  it.for([
    ['/a:b', 'mount path must be absolute, not "b"'],
    ['a', 'mount path must be absolute, not "a"'],
    ['', 'empty section between colons'],
    [':/a', 'empty section between colons'],
    ['/a:', 'empty section between colons'],
    ['/a:/b:', 'empty section between colons'],
    ['/a:/b:ro:x', 'it has more than three parts'],
    ['/a:/b:rox', 'invalid mode: rox, and ro or rw was wanted'],
    ['/a:/b:ro,rw', 'invalid mode: ro,rw, and ro or rw was wanted'],
    ['/a:/b:shared', 'invalid mode: shared, and ro or rw was wanted'],
    ['/a:/', "destination can't be '/'"],
    ['/a:/x/..', "destination can't be '/'"],
    ['/dev:/dev', '"/dev" is the container\'s own'],
    ['/a:/proc/sys', '"/proc/sys" is inside /proc'],
    ['/a:/dev/../proc', '"/proc" is inside /proc'],
    ['~/a:/b', 'the host path is neither absolute nor starts with a dot'],
    ['/a\0:/b', 'its host path contains a NUL'],
  ])('refuses "%s"', ([text = '', reason = '']) => {
    expect(() => parseVolume(text, '/here')).toThrow(reason);
    expect(() => parseVolume(text, '/here')).toThrow(expect.objectContaining({ code: 'ERR_USAGE' }) as Error);
  });

  it('says how to write a folder when it is given a name', () => {
    expect(() => parseVolume('data:/x', '/here')).toThrow(
      expect.objectContaining({
        code: 'ERR_UNSUPPORTED',
        hint: 'For the folder "data" of the current folder write "./data".',
      }) as Error,
    );
  });

  it('never answers with a target that leads above the root', () => {
    const part = fc.constantFrom('/', '..', '.', 'a', '//', ':', 'proc', 'ro', '\0');
    fc.assert(
      fc.property(fc.array(part, { maxLength: 12 }), (parts) => {
        try {
          const { source = '/', target } = parseVolume(parts.join(''), '/here');
          expect(target).toMatch(/^(\/(?!\.\.?(\/|$))[^/\0]+)+$/);
          expect(target).not.toMatch(/^\/proc(\/|$)/);
          expect(source.startsWith('/')).toBe(true);
        } catch (error) {
          if (!isToolError(error, 'ERR_USAGE', 'ERR_UNSUPPORTED')) throw error;
        }
      }),
    );
  });
});
