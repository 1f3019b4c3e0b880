// Pushes images to a registry through the distribution API.
import { createHash } from 'node:crypto';

const TYPES = 'application/vnd.oci.image';

/**
 * `layers`: gzipped archives with the digest of what they unpack to, as makeLayer answers. Answers with the image's name.
 * `name` is `repository:tag`.
 */
export async function pushImage(registry, name, layers, config = {}) {
  const [repository, tag] = name.split(':');
  const base = `http://${registry}/v2/${repository}`;
  const pushed = [];
  for (const { archive } of layers) pushed.push(await pushBlob(base, archive, `${TYPES}.layer.v1.tar+gzip`));
  const document = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/bin:/usr/bin'], Cmd: ['sh'], ...config },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => diffId) },
  };
  const configBlob = await pushBlob(base, Buffer.from(JSON.stringify(document)), `${TYPES}.config.v1+json`);
  const manifest = { schemaVersion: 2, mediaType: `${TYPES}.manifest.v1+json`, config: configBlob, layers: pushed };
  const headers = { 'content-type': manifest.mediaType };
  await send('PUT', `${base}/manifests/${tag}`, { body: JSON.stringify(manifest), headers });
  return `${registry}/${name}`;
}

async function pushBlob(base, content, mediaType) {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  const there = await fetch(`${base}/blobs/${digest}`, { method: 'HEAD' });
  if (!there.ok) {
    const begun = await send('POST', `${base}/blobs/uploads/`, {});
    const location = new URL(begun.headers.get('location'), base);
    location.searchParams.set('digest', digest);
    await send('PUT', location.href, { body: content, headers: { 'content-type': 'application/octet-stream' } });
  }
  return { mediaType, digest, size: content.length };
}

async function send(method, url, init) {
  const answer = await fetch(url, { ...init, method });
  if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
  return answer;
}
