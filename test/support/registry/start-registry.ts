import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:http';
import type { ServerOptions } from 'node:https';
import { createServer as createTlsServer } from 'node:https';
import { TLSSocket } from 'node:tls';

import type { Descriptor } from '../../../src/oci/descriptor.ts';
import type { AuthAnswer, TestAuth } from './auth.ts';
import type { Content } from './content.ts';
import type { FaultScript } from './fault.ts';
import type { Answer } from './respond.ts';
import { createGate, errorBody } from './auth.ts';
import { contentDigest, contentSize, sha256 } from './content.ts';
import { createFaultScript } from './fault.ts';
import { respond } from './respond.ts';

export interface TestRegistryOptions {
  auth?: TestAuth;
  /** PEM texts; the registry speaks TLS when given. */
  tls?: {
    key: string;
    cert: string;
    /** Asks for a certificate of this authority: lets nobody in without one, or only notes it. */
    clients?: { ca: string; isRequired: boolean };
  };
  /** Address to listen on; 127.0.0.1 when left out. Any of 127/8 gives another host. */
  address?: string;
}

/** One request as it came in. `headers` has lower-case names; repeated headers are joined. */
export interface LoggedRequest {
  method: string;
  /** Request target with its query. */
  path: string;
  headers: Record<string, string>;
  /** Body of a POST. */
  body: string;
  /** Serial number of the certificate that the client showed. */
  clientCertificate: string | undefined;
}

/**
 * A registry inside the test's process: distribution-spec pull, Basic and Bearer with its own token endpoint
 * (`/token`), faults by script, and a log. Content is kept as given and never checked: wrong bytes under a
 * right digest are one `putBlob(repo, bytes, { digest })` away.
 */
export interface TestRegistry {
  /** `http://127.0.0.1:PORT` (or https). */
  readonly url: string;
  /** `127.0.0.1:PORT`, as it stands in a reference. */
  readonly host: string;
  readonly log: LoggedRequest[];
  readonly faults: FaultScript;
  /** Stores a blob under its own digest, or under the one given. */
  putBlob(repository: string, content: Content, as?: { digest?: string; mediaType?: string }): Descriptor;
  /** Stores a manifest or an index under its digest and, if `tagOrDigest` is a tag, under that as well. */
  putManifest(repository: string, tagOrDigest: string, bytes: Uint8Array, mediaType: string): Descriptor;
  /** Forgets a blob, a manifest or a tag. */
  remove(repository: string, tagOrDigest: string): void;
  /** Refuses all tokens that were presented so far, as if they had expired. */
  revokeTokens(): void;
  /** Connections accepted so far. */
  readonly accepted: number;
  /** Open connections at this moment. */
  readonly connections: number;
  /** Breaks open connections and stops listening. */
  close(): Promise<void>;
}

interface Stored {
  manifests: Map<string, { mediaType: string; bytes: Uint8Array }>;
  blobs: Map<string, Content>;
}

export async function startRegistry(options: TestRegistryOptions = {}): Promise<TestRegistry> {
  const repositories = new Map<string, Stored>();
  const log: LoggedRequest[] = [];
  const faults = createFaultScript();
  const sockets = new Set<Socket>();
  let url = '';
  let accepted = 0;
  const gate = createGate(options.auth, () => url);

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined);
    void (async () => {
      const body = await readBody(request);
      log.push(logged(request, body));
      const fault = faults.take(request) ?? {};
      if (fault.handle !== undefined) {
        fault.handle(request, response);
        return;
      }
      await respond(request, response, answerFor(request, body), fault);
    })().catch(() => request.socket.destroy());
  };

  const answerFor = (request: IncomingMessage, body: string): Answer => {
    const { pathname } = new URL(request.url ?? '/', 'http://test');
    if (pathname === '/token') return fromAuth(gate.issue(request, new URLSearchParams(body)));
    const route = /^\/v2\/(?:(.+)\/(manifests|blobs|tags)\/([^/]+))?$/.exec(pathname);
    const name = route?.[1];
    const refused = gate.check(request, name);
    if (refused !== undefined) return fromAuth(refused);
    if (route === null) return notFound('NAME_UNKNOWN', 'no such page');
    if (name === undefined) return { status: 200, headers: JSON_TYPE, content: Buffer.from('{}') };
    return find(repositories.get(name), name, route[2] ?? '', decodeURIComponent(route[3] ?? ''));
  };

  const server: Server =
    options.tls === undefined ? createServer(onRequest) : createTlsServer(tlsOptions(options.tls), onRequest);
  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  const address = options.address ?? '127.0.0.1';
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, address, resolve));
  const host = `${address.includes(':') ? `[${address}]` : address}:${(server.address() as AddressInfo).port}`;
  url = `${options.tls === undefined ? 'http' : 'https'}://${host}`;

  const stored = (name: string): Stored => {
    const repository = repositories.get(name) ?? { manifests: new Map(), blobs: new Map() };
    repositories.set(name, repository);
    return repository;
  };
  return {
    url,
    host,
    log,
    faults,
    putBlob(repository, content, as = {}) {
      const digest = (as.digest ?? contentDigest(content)) as Descriptor['digest'];
      stored(repository).blobs.set(digest, content);
      return { mediaType: as.mediaType ?? 'application/octet-stream', digest, size: contentSize(content) };
    },
    putManifest(repository, tagOrDigest, bytes, mediaType) {
      const digest = sha256(bytes);
      for (const key of [digest, tagOrDigest]) stored(repository).manifests.set(key, { mediaType, bytes });
      return { mediaType, digest, size: bytes.byteLength };
    },
    remove(repository, tagOrDigest) {
      stored(repository).manifests.delete(tagOrDigest);
      stored(repository).blobs.delete(tagOrDigest);
    },
    revokeTokens: () => gate.revoke(),
    get accepted() {
      return accepted;
    },
    get connections() {
      return sockets.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function tlsOptions({ key, cert, clients }: NonNullable<TestRegistryOptions['tls']>): ServerOptions {
  if (clients === undefined) return { key, cert };
  return { key, cert, ca: clients.ca, requestCert: true, rejectUnauthorized: clients.isRequired };
}

const JSON_TYPE = { 'content-type': 'application/json' };

function find(stored: Stored | undefined, name: string, kind: string, key: string): Answer {
  if (stored === undefined) return notFound('NAME_UNKNOWN', 'repository name not known to registry');
  if (kind === 'tags') {
    const tags = [...stored.manifests.keys()].filter((tag) => !tag.includes(':'));
    return { status: 200, headers: JSON_TYPE, content: Buffer.from(JSON.stringify({ name, tags })) };
  }
  if (kind === 'blobs') {
    const content = stored.blobs.get(key);
    if (content === undefined) return notFound('BLOB_UNKNOWN', 'blob unknown to registry');
    const headers = { 'content-type': 'application/octet-stream', 'docker-content-digest': key };
    return { status: 200, headers, content, ranges: true };
  }
  const manifest = stored.manifests.get(key);
  if (manifest === undefined) return notFound('MANIFEST_UNKNOWN', 'manifest unknown');
  const headers = { 'content-type': manifest.mediaType, 'docker-content-digest': sha256(manifest.bytes) };
  return { status: 200, headers, content: manifest.bytes };
}

function notFound(code: string, message: string): Answer {
  return { status: 404, headers: JSON_TYPE, content: Buffer.from(errorBody(code, message)) };
}

function fromAuth(answer: AuthAnswer): Answer {
  return {
    status: answer.status,
    headers: { ...JSON_TYPE, ...answer.headers },
    content: Buffer.from(answer.body),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks).toString();
}

function logged(request: IncomingMessage, body: string): LoggedRequest {
  const headers = Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    headers: Object.fromEntries(headers) as Record<string, string>,
    body,
    clientCertificate:
      request.socket instanceof TLSSocket ? request.socket.getPeerX509Certificate()?.serialNumber : undefined,
  };
}
