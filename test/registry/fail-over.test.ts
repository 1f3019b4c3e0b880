import { describe, expect, test } from 'vitest';
import { downloadBlob } from '../../src/registry/download-blob.ts';
import type { Fault, TestRegistry } from '../support/registry/index.ts';
import { errorBody, madeContent } from '../support/registry/index.ts';
import { putEverywhere, requests, startMirrored } from './open-mirrored.ts';
import { NAME, memorySink } from './open-repository.ts';

const BLOB = Buffer.from(Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251));

describe('fail-over', () => {
  const HTML: Fault = { body: '<html>', headers: { 'content-type': 'text/html' } };
  test.each<[string, Fault, number]>([
    ['breaks the connection off', { connection: 'reset', times: 9 }, 2],
    ['answers with garbage', { raw: 'SSH-2.0-x\r\n', times: 9 }, 1],
    ['answers 500', { status: 500, times: 9 }, 2],
    ['is busy for long', { status: 429, headers: { 'retry-after': '60' }, times: 9 }, 1],
    ['has it not', { status: 404, times: 9 }, 1],
    ['lets us not in', { status: 401, times: 9 }, 1],
    ['forbids it', { status: 403, body: errorBody('DENIED', 'no'), times: 9 }, 1],
    ['shows a web page', { ...HTML, times: 9 }, 1],
    ['sends other bytes than those of the digest', { body: '{"layers":[1]}', times: 9 }, 1],
    ['sends too much', { headers: { 'content-length': '99999999' }, times: 9 }, 1],
    ['sends compressed bytes', { headers: { 'content-encoding': 'gzip' }, times: 9 }, 1],
    ['redirects to itself for ever', { status: 302, headers: { location: '?again' }, times: 9 }, 6],
    ['redirects inside', { status: 302, headers: { location: 'http://169.254.169.254/' }, times: 9 }, 1],
  ])('goes to the next host when a mirror %s, before long', async (_name, fault, count) => {
    const { upstream, mirrors, open } = await startMirrored();
    const digest = putEverywhere([upstream, ...mirrors]);
    mirrors[0]?.faults.add(fault);
    const { repository, timing } = await open();
    expect((await repository.getManifest(digest)).descriptor.digest).toBe(digest);
    expect(mirrors[0]?.log).toHaveLength(count);
    expect(requests(upstream)).toEqual([`GET manifests/${digest}`]);
    expect(timing.waits.every((wait) => wait <= 1000)).toBe(true);
  });

  test('one that cannot be reached is not asked again, one that lacks something is', async () => {
    const { upstream, mirrors, open } = await startMirrored({ mirrors: [{}, {}] });
    const digest = putEverywhere([upstream]);
    const [down, empty] = mirrors;
    const { repository } = await open({ timeouts: { headersMs: 20 } });
    down?.faults.add({ connection: 'silence', times: 9 });
    await repository.getManifest('v1');
    await repository.getManifest(digest);
    expect(down?.log).toHaveLength(1);
    expect(empty?.log).toHaveLength(2);
    await down?.close();
    const { repository: again } = await open();
    await again.getManifest(digest);
    expect(upstream.log).toHaveLength(3);
  });

  test('R57 dial_timeout bounds the wait for a connection to its host', async () => {
    const { mirrors, upstream, open } = await startMirrored({
      toml: () => '[host."https://mirror.example"]\ndial_timeout = "30ms"',
    });
    putEverywhere([upstream, ...mirrors]);
    let asked = 0;
    const { repository } = await open({
      timeouts: { connectMs: 1_000_000 },
      lookup: () => void (asked += 1), // and says nothing
    });
    await repository.getManifest('v1');
    expect(asked).toBe(1);
  });

  test('all hosts that failed stand in the error, the last with its code and hint', async () => {
    const { upstream, mirrors, open } = await startMirrored({ mirrors: [{}, {}] });
    mirrors[0]?.faults.add({ status: 500, times: 9, body: '\u001b[31m', headers: { 'content-type': 'text/plain' } });
    await mirrors[1]?.close();
    upstream.faults.add({ status: 401, body: '' });
    const { repository } = await open();
    const name = `"${upstream.host}/app/web:v1"`;
    await expect(repository.getManifest('v1')).rejects.toMatchObject({
      code: 'ERR_AUTH',
      message: [
        `mirror ${mirrors[0]?.host}: Cannot pull ${name}: ${mirrors[0]?.host} answered 500 Internal Server Error: \\x1b[31m`,
        `mirror ${mirrors[1]?.host}: Cannot pull ${name}: ${mirrors[1]?.host} cannot be reached: connection refused`,
        `pull access denied for ${upstream.host}/app/web, repository does not exist or may require 'docker login': ${upstream.host} answered 401 Unauthorized`,
      ].join('\n'),
      hint: expect.stringContaining(`mydocker login ${upstream.host}`) as string,
    });
  });

  test('a server in the place of the registry is the one to log in to', async () => {
    const { mirrors, open } = await startMirrored({ toml: ([mirror]) => `server = "${mirror?.url}"` });
    mirrors[0]?.faults.add({ status: 401 });
    await expect((await open()).repository.getManifest('v1')).rejects.toMatchObject({
      hint: expect.stringContaining(`mydocker login ${mirrors[0]?.host}`) as string,
    });
  });

  test("R68 the user's abort is no reason to ask the next host", async () => {
    const { upstream, mirrors, open } = await startMirrored();
    const { repository } = await open();
    const abort = new AbortController();
    mirrors[0]?.faults.add({ handle: () => abort.abort() });
    await expect(repository.getManifest('v1', { signal: abort.signal })).rejects.toMatchObject({ code: 'ERR_ABORTED' });
    expect(upstream.log).toEqual([]);
  });

  test('the registry behind mirrors is asked with all patience', async () => {
    const { upstream, mirrors, open } = await startMirrored();
    putEverywhere([upstream]);
    await mirrors[0]?.close();
    upstream.faults.add({ status: 503, times: 4 });
    const { repository, timing } = await open();
    await repository.getManifest('v1');
    expect(timing.waits).toEqual([1000, 2000, 4000, 8000]);
  });
});

describe('a blob', () => {
  const ranges = ({ log }: TestRegistry): string[] => log.map(({ headers }) => headers['range'] ?? '');

  test('goes on at the next host where a mirror died in the middle', async () => {
    const { upstream, mirrors, open } = await startMirrored({ mirrors: [{}, {}] });
    for (const registry of [upstream, ...mirrors]) registry.putBlob(NAME, BLOB);
    mirrors[0]?.faults.add({ path: 'blobs', resetAfter: 1000 }, { path: 'blobs', connection: 'reset', times: 9 });
    mirrors[1]?.faults.add({ path: 'blobs', endAfter: 150_000 }, { path: 'blobs', status: 502, times: 9 });
    const { repository } = await open();
    const descriptor = upstream.putBlob(NAME, BLOB);
    const sink = memorySink();
    const asked = await downloadBlob({ repository, descriptor, sink });
    expect(sink.bytes.equals(BLOB)).toBe(true);
    expect(sink.resets).toBe(0);
    expect([...asked].map(({ name }) => name)).toEqual([...mirrors, upstream].map(({ host }) => host));
    expect(ranges(mirrors[0]!)).toEqual(['', 'bytes=1000-']);
    expect(ranges(mirrors[1]!).slice(0, 2)).toEqual(['bytes=1000-', 'bytes=151000-']);
    expect(ranges(upstream)).toEqual(['bytes=151000-']);
  });

  test.each<[string, Fault]>([
    ['too long', { body: Buffer.concat([BLOB, BLOB]), framing: 'chunked' }],
    ['too short', { body: BLOB.subarray(0, 5), framing: 'chunked' }],
  ])('that a mirror sends %s is fetched from the next host, from the start', async (_name, fault) => {
    const { upstream, mirrors, open } = await startMirrored();
    const descriptor = upstream.putBlob(NAME, BLOB);
    mirrors[0]?.faults.add({ path: 'blobs', status: 200, ...fault, times: 9 });
    const { repository } = await open();
    const sink = memorySink();
    await downloadBlob({ repository, descriptor, sink });
    expect(sink.bytes.equals(BLOB)).toBe(true);
    expect(ranges(upstream)).toEqual(['']);
    expect(mirrors[0]?.log).toHaveLength(1);
  });

  test('whose length a mirror gets wrong in the head loses nothing that is there', async () => {
    const { upstream, mirrors, open } = await startMirrored();
    const descriptor = upstream.putBlob(NAME, BLOB);
    mirrors[0]?.faults.add({ path: 'blobs', status: 206, headers: { 'content-length': '7' }, times: 9 });
    const { repository } = await open();
    const sink = memorySink(BLOB.subarray(0, 500));
    await downloadBlob({ repository, descriptor, sink });
    expect(sink.bytes.equals(BLOB)).toBe(true);
    expect(ranges(upstream)).toEqual(['bytes=500-']);
  });

  test('is not asked for at the next host because the disk is full', async () => {
    const { upstream, mirrors, open } = await startMirrored();
    const descriptor = upstream.putBlob(NAME, BLOB);
    mirrors[0]?.putBlob(NAME, BLOB);
    const { repository } = await open();
    const full = new Error('full');
    const sink = { ...memorySink(), write: async () => Promise.reject(full) };
    await expect(downloadBlob({ repository, descriptor, sink })).rejects.toBe(full);
    expect(upstream.log).toEqual([]);
  });

  test('R56 goes on at the next host where a mirror stalls', async () => {
    const { upstream, mirrors, open } = await startMirrored();
    const content = madeContent(300_000);
    const descriptor = upstream.putBlob(NAME, content);
    mirrors[0]?.putBlob(NAME, content);
    mirrors[0]?.faults.add({ path: 'blobs', stallAfter: 100_000 });
    const { repository } = await open({ timeouts: { rate: { windowMs: 300, bytesPerSecond: 1 } }, timing: undefined });
    const sink = memorySink();
    await downloadBlob({ repository, descriptor, sink });
    expect(sink.offset).toBe(300_000);
    expect(ranges(upstream)).toEqual(['bytes=100000-']);
    expect(mirrors[0]?.log).toHaveLength(1);
  });
});
