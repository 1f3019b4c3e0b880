import type { ContainerUsage, DiskUsage } from '../container/disk-usage.ts';
import type { ImageUsage } from '../container/image-usage.ts';
import type { UsageTotals } from '../container/usage-totals.ts';
import { containerRow } from './container-rows.ts';
import { makeStruct } from './go-template/value.ts';
import type { StructValue } from './go-template/value.ts';
import { humanSize } from '../human-size.ts';
import { imageRow } from './image-rows.ts';

export const USAGE_TITLES: Readonly<Record<string, string>> = {
  Type: 'TYPE',
  TotalCount: 'TOTAL',
  Active: 'ACTIVE',
  Size: 'SIZE',
  Reclaimable: 'RECLAIMABLE',
};

/** A row for each kind of what the store has. */
export function usageRows({ images, containers, partialDownloads }: DiskUsage): StructValue[] {
  return [
    usageRow('Images', images),
    usageRow('Containers', containers),
    usageRow('Partial downloads', partialDownloads),
  ];
}

function usageRow(type: string, { total, active, bytes, reclaimableBytes }: UsageTotals): StructValue {
  const percent = bytes > 0 ? ` (${Math.trunc((reclaimableBytes * 100) / bytes)}%)` : '';
  return makeStruct('*formatter.diskUsageContext', {
    Type: () => type,
    TotalCount: () => String(total),
    Active: () => String(active),
    Size: () => humanSize(bytes, 4),
    Reclaimable: () => `${humanSize(reclaimableBytes, 4)}${percent}`,
  });
}

export interface DetailOptions {
  /** Whole IDs and commands. */
  noTrunc: boolean;
  /** Milliseconds since 1970. */
  now: number;
}

/** As the rows of `images`, with what the image takes on the disk: blobs and unpacked layers. */
export function imageUsageRow(
  { image, bytes, sharedBytes, containers }: ImageUsage,
  options: DetailOptions,
): StructValue {
  return makeStruct('*formatter.imageContext', {
    ...imageRow(image, { ...options, digests: true }).fields,
    Size: () => humanSize(bytes, 3),
    SharedSize: () => humanSize(sharedBytes, 4),
    UniqueSize: () => humanSize(bytes - sharedBytes, 4),
    Containers: () => String(containers),
  });
}

/** As the rows of `ps`, with what the container's command has written. */
export function containerUsageRow({ container, bytes }: ContainerUsage, options: DetailOptions): StructValue {
  return makeStruct('*formatter.ContainerContext', {
    ...containerRow(container, options).fields,
    Size: () => humanSize(bytes, 3),
  });
}
