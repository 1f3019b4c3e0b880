import { describe, expect, test } from 'vitest';
import { parseLoginServer } from '../../src/registry/login-server.ts';

describe('parseLoginServer()', () => {
  test.each([
    [undefined, 'docker.io'],
    ['', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['registry-1.docker.io', 'docker.io'],
    ['ghcr.io', 'ghcr.io'],
    ['https://GHCR.io/v2/', 'ghcr.io'],
    ['HTTP://ghcr.io', 'ghcr.io'],
    ['quay.io/org/image', 'quay.io'],
    ['localhost:5000', 'localhost:5000'],
    ['http://[::1]:5000/', '[::1]:5000'],
  ])('A17 takes %s for %s', (server, expected) => {
    expect(parseLoginServer(server)).toBe(expected);
  });

  test.each([
    'user@ghcr.io',
    'https://user:pass@ghcr.io',
    'ftp://ghcr.io',
    'https://',
    '/ghcr.io',
    '-x',
    'a b',
    'a\nb',
    'ghcr.io:',
    'ghcr.io:99999',
    '127.1',
    '..',
    '__proto__',
  ])('refuses %j', (server) => {
    expect(() => parseLoginServer(server)).toThrow(expect.objectContaining({ code: 'ERR_REFERENCE' }));
  });
});
