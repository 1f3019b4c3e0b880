import { parsePlatform } from '../oci/platform.ts';
import { listFlag, stringFlag } from './flags.ts';
import type { Flag } from './flags.ts';

export const insecureRegistryFlag: Flag<readonly string[]> = listFlag({
  about: 'Allow plain HTTP and unknown certificates for a registry (HOST[:PORT])',
});

export const platformFlag: Flag<string | undefined> = stringFlag({
  about: 'Set platform if the image has several (os[/arch[/variant]])',
});

/** The platform asked for, by the flag or by DOCKER_DEFAULT_PLATFORM. @throws {ToolError} ERR_USAGE for what is no platform */
export function wantedPlatform(
  flag: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const wanted = flag ?? env['DOCKER_DEFAULT_PLATFORM'];
  if (wanted === undefined || wanted === '') return undefined;
  parsePlatform(wanted);
  return wanted;
}
