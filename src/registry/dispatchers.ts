import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { createSecureContext } from 'node:tls';
import type { Dispatcher } from 'undici';
import { Agent, Pool, ProxyAgent, buildConnector } from 'undici';
import type { Reach } from './address.ts';
import { outermost, reachOf } from './address.ts';
import type { CertificateSource } from './ca.ts';
import { guardLookup } from './guard-lookup.ts';
import type { ProxySettings } from './proxy.ts';
import { proxyFor } from './proxy.ts';

const MAX_HEAD = 16 * 1024; // bytes of an answer's head

export interface DispatcherSettings {
  maxConnectionsPerHost: number;
  connectTimeoutMs: number;
  proxy: ProxySettings;
  /** undefined, or a source that gives undefined: Node's own roots. */
  certificates?: CertificateSource | undefined;
  /** false only for a registry that the user listed as insecure, and then for its own host only. */
  verifyCertificates: boolean;
  lookup?: LookupFunction | undefined;
}

/** The connections of one registry: to its own host, and to hosts that it refers to (storage, token servers). */
export interface Dispatchers {
  /**
   * `isOwn`: the registry's own host. Other hosts must not lie further inside than the registry itself; behind a proxy,
   * which looks names up itself, that holds for addresses only.
   */
  dispatcherFor(url: URL, isOwn: boolean): Promise<Dispatcher>;
  /** Where the registry was found to be: the outermost of the addresses that were connected to. */
  ownReach(): Reach;
  /** Ends all connections and fails all requests. */
  destroy(): Promise<void>;
}

type TlsOptions = Pick<ConnectionOptions, 'secureContext'>;

interface Connections {
  settings: DispatcherSettings;
  /** The outermost address of the registry; undefined before the first connection. */
  reach: Reach | undefined;
  /** One context for all connections: reading some 150 root certificates takes about 45 ms. */
  tls: Promise<TlsOptions> | undefined;
}

export function createDispatchers(settings: DispatcherSettings): Dispatchers {
  const made = new Map<string, Promise<Dispatcher>>();
  const connections: Connections = { settings, reach: undefined, tls: undefined };
  return {
    ownReach: () => connections.reach ?? 'public',
    async dispatcherFor(url, isOwn) {
      const proxy = proxyFor(url, settings.proxy)?.url.href ?? '';
      const key = `${url.protocol} ${isOwn} ${proxy}`;
      const dispatcher = made.get(key) ?? createDispatcher(url, isOwn, connections);
      made.set(key, dispatcher);
      dispatcher.catch(() => made.delete(key)); // unreadable certificates: may be mended by the next time
      return dispatcher;
    },
    async destroy() {
      const all = await Promise.allSettled(made.values());
      await Promise.all(all.map(async (one) => (one.status === 'fulfilled' ? one.value.destroy() : undefined)));
    },
  };
}

async function createDispatcher(url: URL, isOwn: boolean, connections: Connections): Promise<Dispatcher> {
  const { settings } = connections;
  const common = { connections: settings.maxConnectionsPerHost, maxHeaderSize: MAX_HEAD };
  const timeout = settings.connectTimeoutMs;
  const rejectUnauthorized = settings.verifyCertificates || !isOwn;
  const tls = url.protocol === 'https:' ? { ...(await tlsOptions(connections)), rejectUnauthorized } : {};
  const proxy = proxyFor(url, settings.proxy);
  if (proxy !== undefined) {
    const toProxy = proxy.url.protocol === 'https:' ? await tlsOptions(connections) : {};
    return new ProxyAgent({
      ...common,
      uri: proxy.url.href,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
      requestTls: { ...tls, timeout },
      proxyTls: { ...toProxy, timeout },
      clientFactory: (origin, options) => new Pool(origin, { ...options, headersTimeout: timeout }),
      proxyTunnel: false, // plain HTTP is asked for by absolute URL: many proxies refuse CONNECT to port 80
    });
  }
  const resolve = settings.lookup ?? systemLookup;
  const from = (): Reach => connections.reach ?? 'public';
  const connect = buildConnector({ ...tls, timeout, lookup: isOwn ? resolve : guardLookup(resolve, from) });
  return new Agent({ ...common, connect: isOwn ? observed(connect, connections) : connect });
}

async function tlsOptions(connections: Connections): Promise<TlsOptions> {
  connections.tls ??= prepareTls(connections.settings);
  connections.tls.catch(() => (connections.tls = undefined));
  return connections.tls;
}

async function prepareTls({ certificates }: DispatcherSettings): Promise<TlsOptions> {
  const ca = await certificates?.();
  return ca === undefined ? {} : { secureContext: createSecureContext({ ca }) };
}

/** Notes where each connection ended. The socket knows; what its name resolves to can change between two look-ups. */
function observed(connect: buildConnector.connector, connections: Connections): buildConnector.connector {
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error === null) {
        const reach = reachOf(socket.remoteAddress ?? '') ?? 'public';
        connections.reach = outermost(connections.reach ?? reach, reach);
      }
      callback(...result);
    });
  };
}
