import { parseProxy, proxyFromEnvironment } from '../../../registry/proxy.ts';
import { printable } from '../../../printable.ts';
import { note, ok } from '../host-finding.ts';
import type { HostFinding } from '../host-finding.ts';
import type { MachineFacts } from '../machine-facts.ts';

type Facts = Pick<MachineFacts, 'env' | 'extraCaReadable'>;

/** Variables that change what a pull does. Of their values nothing is shown that could be a secret. */
export function checkEnvironment({ env, extraCaReadable }: Facts): HostFinding[] {
  const { http, https, noProxy } = proxyFromEnvironment(env);
  return [
    ...proxy('HTTP_PROXY', http),
    ...proxy('HTTPS_PROXY', https),
    ...list('NO_PROXY', noProxy),
    ...others(env),
    ...extraCa(env, extraCaReadable),
  ];
}

function proxy(name: string, value: string | undefined): HostFinding[] {
  if (value === undefined) return [];
  try {
    const { url, authorization } = parseProxy(value);
    return [ok('environment', `${name} is ${url.host}${authorization === undefined ? '' : ', with a login'}`)];
  } catch {
    const remedy = `set ${name} to http://host:port`;
    return [note('environment', `${name} is no proxy's URL`, { meaning: 'pulls fail', remedy })];
  }
}

function list(name: string, value: string | undefined): HostFinding[] {
  return value === undefined ? [] : [ok('environment', `${name} is ${printable(value)}`)];
}

function others(env: Facts['env']): HostFinding[] {
  return IGNORED.filter((name) => (env[name] ?? '') !== '').map((name) =>
    ok('environment', `${name} is set`, { meaning: 'mydocker has no daemon, and does not look at it' }),
  );
}

const IGNORED = ['DOCKER_HOST', 'DOCKER_CONTEXT'] as const;

function extraCa(env: Facts['env'], isReadable: boolean | undefined): HostFinding[] {
  if (isReadable === undefined) return [];
  const found = `NODE_EXTRA_CA_CERTS is ${printable(env['NODE_EXTRA_CA_CERTS'] ?? '', Infinity)}`;
  if (isReadable) return [ok('environment', found)];
  const meaning = 'registries with certificates of your own cannot be reached';
  return [
    note('environment', `${found}, which cannot be read`, { meaning, remedy: 'name a file that this user may read' }),
  ];
}
