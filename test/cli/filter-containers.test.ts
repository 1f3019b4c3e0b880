import { describe, expect, it } from 'vitest';
import { CONTAINER_FILTERS, filterContainers } from '../../src/cli/filter-containers.ts';
import { parseFilters } from '../../src/cli/filter.ts';
import { container } from './support/containers.ts';

const WEB = container('web', { id: 'a', image: 'alpine', status: 'running', labels: { app: 'web', tier: '1' } });
const DB = container('web-db', { id: 'b', image: 'team/db:1', imageId: 'd', status: 'exited', exitCode: 137 });
const NEW = container('new', { id: 'c', image: 'docker.io/library/alpine:latest', status: 'created' });
const DAMAGED = { ...container('x', { id: 'd', status: 'dead' }), record: undefined };
const ALL = [WEB, DB, NEW, DAMAGED];

function filter(...words: string[]): unknown[] {
  return filterContainers(ALL, parseFilters(words, CONTAINER_FILTERS));
}

describe('filterContainers()', () => {
  it.each([
    [[], ALL],
    [['id=aaa'], [WEB]],
    [['id=aab'], []],
    [['name=web'], [WEB, DB]],
    [['name=^web$'], [WEB]],
    [['name=^/web$'], [WEB]],
    [['name=('], []],
    [['status=exited'], [DB]],
    [
      ['status=created', 'status=running'],
      [WEB, NEW],
    ],
    [['status=paused'], []],
    [['exited=137'], [DB]],
    [['exited=0'], []],
    [['ancestor=alpine'], [WEB, NEW]],
    [['ancestor=team/db:1'], [DB]],
    [['ancestor=team/db'], []],
    [['ancestor=dddddddddddd'], [DB]],
    [['ancestor=sha256:dddd'], [DB]],
    [['label=app'], [WEB]],
    [['label=app=web', 'label=tier=1'], [WEB]],
    [['label=app=web', 'label=tier=2'], []],
    [['label=constructor'], []],
    [['ancestor=alpine', 'status=running'], [WEB]],
  ])('by %j', (words, passing) => {
    expect(filter(...words)).toEqual(passing);
  });

  it.each([
    ['status=bogus', "invalid filter 'status=[bogus]'"],
    ['exited=x', "invalid filter 'exited=[x]'"],
    ['health=none', "invalid filter 'health'"],
  ])('refuses %s', (word, message) => {
    expect(() => filter(word)).toThrow(message);
  });
});
