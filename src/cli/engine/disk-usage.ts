import { diskUsage as measure } from '../../container/disk-usage.ts';
import type { DiskUsage } from '../../container/disk-usage.ts';
import type { DiskUsageRequest } from '../engine-api.ts';

export async function diskUsage(request: DiskUsageRequest): Promise<DiskUsage> {
  return measure(request);
}
