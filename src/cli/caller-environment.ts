type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Where the launcher (scripts/build.mjs) puts NODE_EXTRA_CA_CERTS: with that variable set, every start of Node 20 reads and parses all
 * certificates, which takes 30 to 45 ms and serves only those commands that talk to a registry. Those read it themselves.
 */
const MOVED = 'MYDOCKER_NODE_EXTRA_CA_CERTS';

/** The environment as the caller has set it. */
export function callerEnvironment(env: Environment): Environment {
  const { [MOVED]: moved, ...own } = env;
  return moved === undefined ? env : { NODE_EXTRA_CA_CERTS: moved, ...own };
}
