import type { RegistryOptions } from '../../registry/client.ts';
import { note, ok } from './host-finding.ts';
import type { HostFinding } from './host-finding.ts';
import { refused } from './trials.ts';
import type { TrialOptions } from './trials.ts';

/** Asks the registry that images come from unless their name says otherwise. Images that are in the store run without it. */
export async function checkRegistry(
  registry: () => Promise<RegistryOptions>,
  options: TrialOptions,
): Promise<HostFinding> {
  const refusal = await refused(options, async () => {
    const { createRegistryClient } = await import('../../registry/client.ts');
    const client = createRegistryClient(await registry());
    try {
      await client.reach(REGISTRY, options.signal);
    } finally {
      await client.close();
    }
  });
  if (refusal === undefined) return ok('registry', `${REGISTRY} answers`);
  const { problem, remedy = 'look at HTTPS_PROXY and at the certificates that are trusted (NODE_EXTRA_CA_CERTS)' } =
    refusal;
  return note('registry', problem, { meaning: 'images that are not in the store cannot be pulled from there', remedy });
}

const REGISTRY = 'docker.io';
