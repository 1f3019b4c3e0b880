import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { checkName, holderOf, releaseName, reserveName } from '../../src/container/container-name.ts';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(64)) as [string, string, string];

let containers: string;
beforeEach(() => {
  containers = mkdtempSync(join(tmpdir(), 'mydocker-names-'));
  for (const id of [A, B, C]) mkdirSync(join(containers, id));
});
afterEach(() => rmSync(containers, { recursive: true }));

describe('reserveName()', () => {
  it('makes up a different name for each container', async () => {
    const names = new Set<string>();
    for (const id of [A, B, C]) names.add(await reserveName({ containers, id }));
    expect(names.size).toBe(3);
    for (const name of names) expect(name).toMatch(/^[a-z]+_[a-z]+\d*$/);
  });

  it('gives a name to one of many who want it at the same time', async () => {
    const results = await Promise.allSettled(
      [A, B, C].map(async (id) => reserveName({ containers, id, wanted: 'web' })),
    );
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(results[[A, B, C].indexOf(holderOf(containers, 'web') ?? '')]?.status).toBe('fulfilled');
  });

  it('takes over the name of a container that has gone without it, once', async () => {
    mkdirSync(join(containers, 'names'));
    symlinkSync('d'.repeat(64), join(containers, 'names/web'));
    const results = await Promise.allSettled([A, B].map(async (id) => reserveName({ containers, id, wanted: 'web' })));
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(readdirSync(containers).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });
});

describe('reserveName(), of a name that another container has', () => {
  it('takes it over when that container is only left over, which is asked about a wanted name alone', async () => {
    await reserveName({ containers, id: A, wanted: 'web' });
    const asked: string[] = [];
    const reap = async (id: string): Promise<boolean> => {
      asked.push(id);
      rmSync(join(containers, id), { recursive: true });
      return true;
    };
    const refuse = async (): Promise<boolean> => false;
    await expect(reserveName({ containers, id: B, wanted: 'web', reap: refuse })).rejects.toThrow('already in use');
    expect(await reserveName({ containers, id: B, wanted: 'web', reap })).toBe('web');
    expect(asked).toEqual([A]);
  });
});

describe('releaseName()', () => {
  it('frees the name', async () => {
    await reserveName({ containers, id: A, wanted: 'web' });
    releaseName(containers, A, 'web');
    expect(await reserveName({ containers, id: B, wanted: 'web' })).toBe('web');
  });

  it("leaves another container's name alone", async () => {
    await reserveName({ containers, id: A, wanted: 'web' });
    releaseName(containers, B, 'web');
    expect(holderOf(containers, 'web')).toBe(A);
    releaseName(containers, B, 'nobody');
    expect(readdirSync(join(containers, 'names'))).toEqual(['web']);
  });
});

describe('checkName()', () => {
  it.for(['ab', 'web-1', 'A.b_c', '0web', 'a'.repeat(200)])('takes "%s"', (name) => {
    expect(() => checkName(name)).not.toThrow();
  });

  it.for(['', 'a', '-ab', '.ab', '../x', 'a/b', 'a b', 'ä1', 'a\0', 'a'.repeat(201)])('refuses "%s"', (name) => {
    expect(() => checkName(name)).toThrow('only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed');
  });
});
