import { describe, expect, it } from 'vitest';
import { IMAGE_FILTERS, filterImages } from '../../src/cli/filter-images.ts';
import { parseFilters } from '../../src/cli/filter.ts';
import { NOW } from './support/fake-context.ts';
import { image } from './support/images.ts';

const ALPINE = image('alpine:3.19', { id: 'a', digest: '1', age: 1 });
const BUSYBOX = image('busybox:glibc', { id: 'b', digest: '2', age: 2, protected: true });
const APP = image('registry.example.com:5000/team/app:v1', { id: 'c', digest: '3', age: 3 });
const PINNED = image(`alpine@sha256:${'4'.repeat(64)}`, { id: 'd', digest: '4', age: 4 });
const DANGLING = image(undefined, { id: 'e', digest: '5', age: 5 });
const ALL = [ALPINE, BUSYBOX, APP, PINNED, DANGLING];
const NAMED = [ALPINE, BUSYBOX, APP, PINNED];
const LABELS = new Map<unknown, Record<string, string>>([
  [ALPINE, { 'com.example.tier': 'base', constructor: 'own' }],
  [APP, { 'com.example.tier': 'app' }],
]);

async function filter(words: string[], all = false): Promise<unknown[]> {
  return filterImages(ALL, {
    filters: parseFilters(words, IMAGE_FILTERS),
    all,
    now: NOW,
    labelsOf: async (of) => LABELS.get(of) ?? {},
  });
}

describe('filterImages()', () => {
  it.each([
    [[], NAMED],
    [['dangling=true'], [DANGLING]],
    [['dangling=false'], NAMED],
    [['dangling=1'], [DANGLING]],
    [['protected=true'], [BUSYBOX]],
    [['protected=false'], NAMED.filter((image) => image !== BUSYBOX)],
    [['Dangling=T'], [DANGLING]],
    [['reference=alpine'], [ALPINE, PINNED]],
    [['reference=alpine:3.19'], [ALPINE]],
    [['reference=docker.io/library/alpine'], [ALPINE, PINNED]],
    [['reference=docker.io/library/alpine:3.19'], [ALPINE]],
    [[`reference=alpine@sha256:${'4'.repeat(64)}`], [PINNED]],
    [['reference=busy*:*libc'], [BUSYBOX]],
    [['reference=*'], [ALPINE, BUSYBOX, PINNED]],
    [['reference=*/*/app'], [APP]],
    [['reference=alp'], []],
    [
      ['reference=alpine', 'reference=busybox'],
      [ALPINE, BUSYBOX, PINNED],
    ],
    [['since=busybox:glibc'], [ALPINE]],
    [['before=busybox:glibc'], [APP, PINNED]],
    [['before=alpine:3.19', `since=sha256:${'c'.repeat(64)}`], [BUSYBOX]],
    [['before=cccccccccccc'], [PINNED]],
    [['until=150m'], [APP, PINNED]],
    [['label=com.example.tier'], [ALPINE, APP]],
    [['label=com.example.tier=app'], [APP]],
    [['label=com.example.tier', 'label=com.example.tier=base'], [ALPINE]],
    [['label=constructor'], [ALPINE]],
    [['label=toString'], []],
    [['reference=alpine', 'until=3h'], [PINNED]],
    [[''], NAMED],
  ])('by %j', async (words, passing) => {
    expect(await filter(words)).toEqual(passing);
  });

  it('lists dangling images where all are wanted, but for a filter', async () => {
    expect(await filter([], true)).toEqual(ALL);
    expect(await filter(['dangling=false'], true)).toEqual(NAMED);
  });

  it.each([
    ['dangling=maybe', "invalid filter 'dangling=[maybe]'"],
    ['protected=maybe', "invalid filter 'protected=[maybe]'"],
    ['reference=[', "invalid filter 'reference=[[]'"],
    ['until=yesterday', "invalid filter 'until=[yesterday]'"],
    ['since=nope', 'No such image: nope'],
    ['bogus=1', "invalid filter 'bogus'"],
    ['__proto__=1', "invalid filter '__proto__'"],
    ['\u001b[31m=1', "invalid filter '\\x1b[31m'"],
  ])('refuses %j', async (word, message) => {
    await expect(filter([word])).rejects.toThrow(message);
  });
});
