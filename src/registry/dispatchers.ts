import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Dispatcher, Pool as TunnelPool, buildConnector as ConnectorBuilder } from 'undici';
import type { Reach } from './address.ts';
import { outermost, reachOf } from './address.ts';
import { guardLookup } from './guard-lookup.ts';
import { PROXY_CLOSED, WANTS_CERTIFICATE, codeOf } from './network-error.ts';
import type { ProxySettings } from './proxy.ts';
import { proxyFor } from './proxy.ts';
import type { TlsContexts, TlsSettings } from './tls-contexts.ts';
import { createTlsContexts } from './tls-contexts.ts';
import { Agent, Pool, ProxyAgent, buildConnector } from './undici.ts';

const MAX_HEAD = 16 * 1024; // bytes of an answer's head

export interface DispatcherSettings extends TlsSettings {
  maxConnectionsPerHost: number;
  connectTimeoutMs: number;
  proxy: ProxySettings;
  /** false only for a host that the user listed as insecure, and then for this host only. */
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
  /**
   * What ended a connection: undici 7.30 puts "other side closed" over the alert of a server that wants a certificate of ours, which
   * comes when the handshake is over, as TLS 1.3 has it.
   */
  causeOf(error: unknown): unknown;
  /** Where the registry was found to be: the outermost of the addresses that were connected to. */
  ownReach(): Reach;
  /** Ends all connections and fails all requests. */
  destroy(): Promise<void>;
}

interface Connections {
  settings: DispatcherSettings;
  /** The outermost address of the registry; undefined before the first connection. */
  reach: Reach | undefined;
  tls: TlsContexts;
  /** What the registry's own host said that wants another certificate of us. */
  alert: Error | undefined;
}

export function createDispatchers(settings: DispatcherSettings): Dispatchers {
  const made = new Map<string, Promise<Dispatcher>>();
  const connections: Connections = { settings, reach: undefined, tls: createTlsContexts(settings), alert: undefined };
  return {
    ownReach: () => connections.reach ?? 'public',
    causeOf: (error) => (codeOf(error) === 'UND_ERR_SOCKET' ? (connections.alert ?? error) : error),
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
  const tls = url.protocol === 'https:' ? { ...(await connections.tls.forHost(isOwn)), rejectUnauthorized } : {};
  const proxy = proxyFor(url, settings.proxy);
  if (proxy !== undefined) {
    const toProxy = proxy.url.protocol === 'https:' ? await connections.tls.forHost(false) : {};
    return new ProxyAgent({
      ...common,
      uri: proxy.url.href,
      ...(proxy.authorization !== undefined && { token: proxy.authorization }),
      requestTls: { ...tls, timeout },
      proxyTls: { ...toProxy, timeout },
      clientFactory: (origin, options) => createTunnelPool(origin, { ...options, headersTimeout: timeout }),
      proxyTunnel: false, // plain HTTP is asked for by absolute URL: many proxies refuse CONNECT to port 80
    });
  }
  const resolve = settings.lookup ?? systemLookup;
  const from = (): Reach => connections.reach ?? 'public';
  const connect = buildConnector({ ...tls, timeout, lookup: isOwn ? resolve : guardLookup(resolve, from) });
  return new Agent({ ...common, connect: isOwn ? observed(connect, connections) : connect });
}

/**
 * The connections to a proxy. undici 7.30 takes a socket error of a tunnel for one that the next connection mends, and would
 * ask a proxy that hangs up again and again, without a pause and for ever: it gets an error that it passes on.
 */
function createTunnelPool(origin: URL, options: object): TunnelPool {
  const pool = new Pool(origin, options);
  const connect = pool.connect.bind(pool);
  const connectOnce = async (request: Dispatcher.ConnectOptions): Promise<Dispatcher.ConnectData> =>
    connect(request).catch((cause: unknown) => {
      const isMendable = ['UND_ERR_SOCKET', 'UND_ERR_INFO'].includes(codeOf(cause));
      throw isMendable ? Object.assign(new Error('the proxy hung up', { cause }), { code: PROXY_CLOSED }) : cause;
    });
  return Object.assign(pool, { connect: connectOnce });
}

/** Notes where each connection ended, and what it was told of TLS. The socket knows; what its name resolves to can change between two look-ups. */
function observed(connect: ConnectorBuilder.connector, connections: Connections): ConnectorBuilder.connector {
  return (options, callback) => {
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error === null) {
        const reach = reachOf(socket.remoteAddress ?? '') ?? 'public';
        connections.reach = outermost(connections.reach ?? reach, reach);
        socket.once('error', (cause: Error) => {
          if (WANTS_CERTIFICATE.test(codeOf(cause))) connections.alert = cause;
        });
      }
      callback(...result);
    });
  };
}
