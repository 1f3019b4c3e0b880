import { apiUrl, findOrigin, isWrongScheme, maySpeakTls } from './endpoint.ts';
import type { AuthorizedRequest, Fetched } from './fetch-authorized.ts';
import { fetchAuthorized } from './fetch-authorized.ts';
import type { RegistryChannel } from './registry-channel.ts';
import { NetworkError } from './retry.ts';

export interface RegistryRequest extends Omit<AuthorizedRequest, 'url'> {
  /** Below the root of the API: `library/alpine/manifests/3`. */
  path: string;
}

/** fetchAuthorized at the registry's origin, which the first request finds out where it is not known. */
export async function askRegistry(channel: RegistryChannel, { path, ...request }: RegistryRequest): Promise<Fetched> {
  const { endpoint } = channel;
  const askAt = async (registry: URL): Promise<Fetched> =>
    fetchAuthorized({ ...channel, registry }, { ...request, url: apiUrl(endpoint, registry, path) });
  const guess = endpoint.origin;
  if (endpoint.isSure) return askAt(guess);
  const answer = await askAt(guess).catch((error: unknown) => {
    const isMisled = error instanceof NetworkError && isWrongScheme(error, guess);
    if (!isMisled || channel.transport.hasAnswered(guess)) throw error;
    return undefined;
  });
  const isDoubtful = answer === undefined || (!answer.ok && maySpeakTls(answer.failure.status, guess));
  const { action } = request.purpose;
  const origin = isDoubtful ? await findOrigin(endpoint, { action, signal: request.signal }) : guess;
  endpoint.origin = origin;
  endpoint.isSure = true;
  return answer !== undefined && origin.href === guess.href ? answer : askAt(origin);
}
