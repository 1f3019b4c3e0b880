import { describe, expect, test } from 'vitest';
import { proxyFor, proxyFromEnvironment } from '../../src/registry/proxy.ts';

describe('proxyFromEnvironment()', () => {
  test('R67 takes upper case before lower, and empty as unset', () => {
    expect(
      proxyFromEnvironment({ HTTP_PROXY: 'a', http_proxy: 'b', https_proxy: 'c', NO_PROXY: '', no_proxy: 'd' }),
    ).toEqual({
      http: 'a',
      https: 'c',
      noProxy: 'd',
    });
    expect(proxyFromEnvironment({})).toEqual({ http: undefined, https: undefined, noProxy: undefined });
  });
});

describe('proxyFor()', () => {
  const settings = { http: 'http://plain:1', https: 'tls:2' };

  test('R67 chooses by the scheme of the request', () => {
    expect(proxyFor(new URL('http://a.example/'), settings)?.url.href).toBe('http://plain:1/');
    expect(proxyFor(new URL('https://a.example/'), settings)?.url.href).toBe('http://tls:2/');
    expect(proxyFor(new URL('https://a.example/'), { http: 'http://plain:1' })).toBeUndefined();
  });

  test('R67 keeps the login out of the URL', () => {
    expect(proxyFor(new URL('https://a.example/'), { https: 'https://us%40er:pa%3Ass@proxy:8443/ignored' })).toEqual({
      url: new URL('https://proxy:8443/'),
      authorization: `Basic ${Buffer.from('us@er:pa:ss').toString('base64')}`,
    });
    expect(proxyFor(new URL('https://a.example/'), { https: 'http://user@proxy' })?.authorization).toBe(
      `Basic ${Buffer.from('user:').toString('base64')}`,
    );
    expect(proxyFor(new URL('https://a.example/'), { https: 'http://a:100%@proxy' })?.authorization).toBeDefined();
  });

  test.each(['socks5://proxy:1', 'http://', 'ftp://proxy', 'http://user:secret@'])(
    'refuses %s, without secrets',
    (https) => {
      const run = (): unknown => proxyFor(new URL('https://a.example/'), { https });
      expect(run).toThrow(
        expect.objectContaining({ code: 'ERR_USAGE', message: expect.not.stringContaining('secret') as string }),
      );
    },
  );

  test.each(['localhost:5000', '127.0.0.1', '[::1]:5000', '127.1.1.1'])('R67 never asks a proxy for %s', (host) => {
    expect(proxyFor(new URL(`http://${host}/`), settings)).toBeUndefined();
  });

  test.each([
    ['*', 'a.example', true],
    ['a.example', 'a.example', true],
    ['a.example', 'A.EXAMPLE', true],
    ['a.example', 'sub.a.example', true],
    ['a.example', 'xa.example', false],
    ['.a.example', 'a.example', false],
    ['.a.example', 'sub.a.example', true],
    ['*.a.example', 'sub.a.example', true],
    ['*.a.example', 'a.example', false],
    ['b.example, a.example', 'a.example', true],
    ['b.example\ta.example', 'a.example', true],
    ['a.example:443', 'a.example', true],
    ['a.example:8443', 'a.example', false],
    ['a.example:8443', 'a.example:8443', true],
    ['10.0.0.0/8', '10.2.3.4', true],
    ['10.0.0.0/8', '10.2.3.4:5000', true],
    ['10.0.0.0/8', '11.2.3.4', false],
    ['10.2.3.4', '10.2.3.4', true],
    ['fd00::/8', '[fd00::1]', true],
    ['[fd00::1]:5000', '[fd00::1]:5000', true],
    ['[fd00::1]:5000', '[fd00::1]', false],
    ['fd00::1', '[fd00::1]', true],
    ['', 'a.example', false],
    [',,', 'a.example', false],
  ])('R67 NO_PROXY=%j exempts %s: %s', (noProxy, host, exempt) => {
    expect(proxyFor(new URL(`https://${host}/`), { ...settings, noProxy }) === undefined).toBe(exempt);
  });
});
