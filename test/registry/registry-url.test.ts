import { describe, expect, test } from 'vitest';
import { isInNetwork, isInsecureRegistry, isLoopbackHost, registryUrl } from '../../src/registry/registry-url.ts';

describe('registryUrl()', () => {
  test('asks Docker Hub at its own endpoint', () => {
    expect(registryUrl('docker.io', 'https').href).toBe('https://registry-1.docker.io/');
  });

  test.each([
    ['ghcr.io', 'https://ghcr.io/'],
    ['localhost:5000', 'https://localhost:5000/'],
    ['[::1]:5000', 'https://[::1]:5000/'],
  ])('asks %s at %s', (registry, expected) => {
    expect(registryUrl(registry, 'https').href).toBe(expected);
  });

  test.each(['', 'a/b', 'user:secret@host', 'host:99999', 'host?x', 'host#x', 'ho st'])('refuses %j', (registry) => {
    expect(() => registryUrl(registry, 'https')).toThrow(expect.objectContaining({ code: 'ERR_REFERENCE' }));
  });
});

describe('isLoopbackHost()', () => {
  test.each(['localhost', 'LOCALHOST', '127.0.0.1', '127.9.9.9', '[::1]'])('is true for %s', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  test.each(['localhost.example.com', 'xlocalhost', 'registry.local', '10.0.0.1', '0.0.0.0', '[::2]'])(
    'A17 is false for %s',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});

describe('isInsecureRegistry()', () => {
  test('knows hosts, hosts with ports, and networks', () => {
    const list = ['registry.corp', 'other.corp:5000', '10.0.0.0/8', 'fd00::/8'];
    const found = ['registry.corp', 'Registry.Corp', 'other.corp:5000', '10.1.2.3', '10.1.2.3:5000', '[fd00::1]:5000'];
    expect(found.filter((registry) => !isInsecureRegistry(registry, list))).toEqual([]);
    const others = ['registry.corp:5000', 'x.registry.corp', 'other.corp', 'other.corp:5001', '11.0.0.1', '[fe00::1]'];
    expect(others.filter((registry) => isInsecureRegistry(registry, list))).toEqual([]);
  });
});

describe('isInNetwork()', () => {
  test.each([
    ['10.0.0.1', '10.0.0.0/8', true],
    ['11.0.0.1', '10.0.0.0/8', false],
    ['10.0.0.1', '10.0.0.0', false],
    ['10.0.0.1', '10.0.0.0/33', false],
    ['10.0.0.1', '10.0.0.0/', false],
    ['example.com', '0.0.0.0/0', false],
    ['::1', '0.0.0.0/0', false],
    ['[fd00::1]', 'fd00::/8', true],
  ])('%s in %s: %s', (host, network, expected) => {
    expect(isInNetwork(host, network)).toBe(expected);
  });
});
