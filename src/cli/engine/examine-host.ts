import { examineHost as examine } from '../../container/doctor/examine-host.ts';
import type { HostReport } from '../../container/doctor/examine-host.ts';
import type { ExamineHostRequest } from '../engine-api.ts';

export async function examineHost({ network, ...request }: ExamineHostRequest): Promise<HostReport> {
  const registry = async () =>
    (await import('./registry-options.ts')).registryOptions({ ...request, insecureRegistries: [] });
  return examine({ ...request, registry: network ? registry : undefined });
}
