import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseChallenges } from '../../src/registry/challenge.ts';

describe('parseChallenges()', () => {
  test.each([
    [
      'Docker Hub',
      'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull"',
      [
        [
          'bearer',
          {
            realm: 'https://auth.docker.io/token',
            service: 'registry.docker.io',
            scope: 'repository:library/alpine:pull',
          },
        ],
      ],
    ],
    [
      'a comma inside quotes',
      'Bearer realm="https://a/token",scope="repository:x:pull,push"',
      [['bearer', { realm: 'https://a/token', scope: 'repository:x:pull,push' }]],
    ],
    [
      'white space, odd case, escaped quotes',
      'BEARER   Realm = "a\\"b\\\\c" ,\tSERVICE=x',
      [['bearer', { realm: 'a"b\\c', service: 'x' }]],
    ],
    [
      'several in one header',
      'Basic realm="one", Bearer realm="two", Negotiate',
      [
        ['basic', { realm: 'one' }],
        ['bearer', { realm: 'two' }],
        ['negotiate', {}],
      ],
    ],
    [
      'a token68 credential',
      'Negotiate YWJj==, Basic realm=x',
      [
        ['negotiate', {}],
        ['basic', { realm: 'x' }],
      ],
    ],
    [
      'a URL without quotes',
      'Bearer realm=https://a.example/token,service=b',
      [['bearer', { realm: 'https://a.example/token', service: 'b' }]],
    ],
    ['the first of a repeated parameter', 'Bearer realm="a",realm="b"', [['bearer', { realm: 'a' }]]],
    ['no parameters', 'Basic', [['basic', {}]]],
    [
      'an open quote',
      'Basic realm="x", Bearer realm="y',
      [
        ['basic', { realm: 'x' }],
        ['bearer', {}],
      ],
    ],
    ['an empty value', 'Bearer realm="",service=""', [['bearer', { realm: '', service: '' }]]],
    ['nothing', '', []],
    ['commas', ', , ,', []],
    [
      'names of the prototype',
      'Bearer __proto__="a",constructor="b"',
      [['bearer', { ['__proto__']: 'a', constructor: 'b' }]],
    ],
  ])('reads %s', (_name, header, expected) => {
    const found = parseChallenges(header).map(({ scheme, parameters }) => [scheme, [...parameters]]);
    expect(found).toEqual(expected.map(([scheme, parameters]) => [scheme, Object.entries(parameters!)]));
  });

  test('takes several headers together, and none as none', () => {
    expect(parseChallenges(['Basic realm="a"', 'Bearer realm="b"']).map(({ scheme }) => scheme)).toEqual([
      'basic',
      'bearer',
    ]);
    expect(parseChallenges(undefined)).toEqual([]);
  });

  test('reads back whatever a server quotes', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,8}$/);
    const value = fc.string({ unit: 'binary-ascii' }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, minLength: 1 }), (parameters) => {
        const text = parameters.map(([key, text]) => `${key}="${text.replace(/["\\]/g, '\\$&')}"`).join(', ');
        expect([...(parseChallenges(`Bearer ${text}`)[0]?.parameters ?? [])]).toEqual(parameters);
      }),
    );
  });

  test('never throws, and ends soon on hostile headers', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary-ascii' }), (header) => void parseChallenges(header)));
    for (const piece of ['"', '\\"', 'a=', 'a ', ',', 'a="', '= ', 'Bearer ']) parseChallenges(piece.repeat(16 * 1024));
  });
});
