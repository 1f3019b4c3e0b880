import { verify as verifyStore } from '../../container/verify.ts';
import type { VerifyReport } from '../../image/verify/verify-store.ts';
import type { VerifyRequest } from '../engine-api.ts';

export async function verify(request: VerifyRequest): Promise<VerifyReport> {
  return verifyStore({
    ...request,
    registry: async () => (await import('./registry-options.ts')).registryOptions(request),
  });
}
