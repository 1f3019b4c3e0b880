import { createHash } from 'node:crypto';

/** A blob or manifest as a manifest names it; size in bytes. */
export interface PushedDescriptor {
  mediaType: string;
  digest: string;
  size: number;
}

interface ManifestToPush {
  mediaType: string;
  [key: string]: unknown;
}

/** Pushes through the distribution API what skopeo has no way to say. `repository` is without a host. */
export class ApiPusher {
  readonly #base: string;

  constructor(host: string, repository: string) {
    this.#base = `http://${host}/v2/${repository}`;
  }

  async pushBlob(content: Uint8Array, mediaType: string): Promise<PushedDescriptor> {
    const descriptor = describe(content, mediaType);
    const begun = await this.#send('POST', `${this.#base}/blobs/uploads/`, {});
    const location = new URL(begun.headers.get('location') ?? '', this.#base);
    location.searchParams.set('digest', descriptor.digest);
    await this.#send('PUT', location.href, { body: content, headers: { 'content-type': 'application/octet-stream' } });
    return descriptor;
  }

  /** `tag` may be a digest. */
  async pushManifest(tag: string, manifest: ManifestToPush): Promise<PushedDescriptor> {
    const content = Buffer.from(JSON.stringify(manifest));
    const headers = { 'content-type': manifest.mediaType };
    await this.#send('PUT', `${this.#base}/manifests/${tag}`, { body: content, headers });
    return describe(content, manifest.mediaType);
  }

  async readManifest(tag: string): Promise<{ descriptor: PushedDescriptor; content: Buffer }> {
    const headers = { accept: 'application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json' };
    const answer = await this.#send('GET', `${this.#base}/manifests/${tag}`, { headers });
    const content = Buffer.from(await answer.arrayBuffer());
    return { descriptor: describe(content, answer.headers.get('content-type') ?? ''), content };
  }

  async readBlob(digest: string): Promise<Buffer> {
    const answer = await this.#send('GET', `${this.#base}/blobs/${digest}`, {});
    return Buffer.from(await answer.arrayBuffer());
  }

  async #send(method: string, url: string, init: RequestInit): Promise<Response> {
    const answer = await fetch(url, { ...init, method });
    if (!answer.ok) throw new Error(`${method} ${url}: ${answer.status} ${await answer.text()}`);
    return answer;
  }
}

function describe(content: Uint8Array, mediaType: string): PushedDescriptor {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { mediaType, digest, size: content.length };
}
