import { describe, expect, test } from 'vitest';
import type { Reach } from '../../src/registry/address.ts';
import { mayRefer, outermost, reachOf } from '../../src/registry/address.ts';

describe('reachOf()', () => {
  test.each<[string, Reach | undefined]>([
    ['8.8.8.8', 'public'],
    ['172.32.0.1', 'public'],
    ['2001:4860:4860::8888', 'public'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['192.168.255.255', 'private'],
    ['100.64.0.1', 'private'],
    ['fd12::1', 'private'],
    ['127.0.0.1', 'loopback'],
    ['127.255.0.9', 'loopback'],
    ['::1', 'loopback'],
    ['[::1]', 'loopback'],
    ['0.0.0.0', 'forbidden'],
    ['169.254.169.254', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['::', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    // the same through IPv6
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['::ffff:8.8.8.8', 'public'],
    ['::127.0.0.1', 'loopback'],
    ['::ffff:0:127.0.0.1', 'loopback'],
    ['::ffff:0:8.8.8.8', 'public'],
    ['64:ff9b:1::808:808', 'private'],
    ['192.0.0.192', 'forbidden'],
    ['fd00:ec2::23', 'forbidden'],
    ['fd20:ce::254', 'forbidden'],
    ['64:ff9b::10.0.0.1', 'private'],
    ['64:ff9b::a00:1', 'private'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:808:808::1', 'public'],
    ['localhost', undefined],
    ['example.com', undefined],
    ['', undefined],
    ['1.2.3', undefined],
  ])('R42 finds %s %s', (address, expected) => {
    expect(reachOf(address)).toBe(expected);
  });
});

describe('mayRefer()', () => {
  test('R42 lets nobody be referred further inside than where the referrer is', () => {
    const order: Reach[] = ['public', 'private', 'loopback'];
    for (const [i, from] of order.entries()) {
      for (const [j, to] of order.entries()) expect([from, to, mayRefer(from, to)]).toEqual([from, to, j <= i]);
    }
  });

  test('R42 lets nobody be referred to a metadata service, and one there be nobody', () => {
    expect((['public', 'private', 'loopback', 'forbidden'] as const).some((from) => mayRefer(from, 'forbidden'))).toBe(
      false,
    );
    expect(mayRefer('forbidden', 'private')).toBe(false);
    expect(mayRefer('forbidden', 'public')).toBe(true);
  });
});

describe('outermost()', () => {
  test('takes the more public of two', () => {
    expect(outermost('loopback', 'private')).toBe('private');
    expect(outermost('public', 'loopback')).toBe('public');
  });
});
