import type { BlobRole, Finding, Repair } from '../image/verify/finding.ts';
import { printable } from '../printable.ts';

/** One line, without its end: `damaged blob sha256:… (layer of docker.io/library/alpine:latest): its digest is sha256:…`. */
export function findingText(finding: Finding): string {
  return `${subjectOf(finding)}: ${printable(finding.problem, Infinity)}${repairText(finding.repair)}`;
}

function subjectOf(finding: Finding): string {
  switch (finding.kind) {
    case 'blob':
      return `${finding.state} blob ${finding.digest}${useText(ROLES[finding.role], finding.images)}`;
    case 'layer':
      return `${finding.state} layer ${finding.chainId}${useText('', finding.images)}`;
    case 'file':
      return `damaged file ${printable(finding.path)}`;
    case 'name':
      return finding.name === undefined ? 'damaged file index.json' : `damaged name ${printable(finding.name)}`;
    case 'extra':
      return `extra file ${printable(finding.path)}`;
  }
}

const ROLES: Record<BlobRole, string> = {
  index: 'index ',
  manifest: 'manifest ',
  config: 'config ',
  layer: 'layer ',
  other: '',
};

const MOST_NAMED = 3;

function useText(role: string, images: readonly string[]): string {
  if (images.length === 0) return ' (of no image)';
  const named = images.slice(0, MOST_NAMED).map((image) => printable(image));
  const more = images.length - named.length;
  return ` (${role}of ${named.join(', ')}${more > 0 ? ` and ${more} more` : ''})`;
}

function repairText(repair: Repair | undefined): string {
  if (repair === undefined) return '';
  return repair.isDone ? ` [repaired: ${repair.how}]` : ` [not repaired: ${printable(repair.reason, Infinity)}]`;
}
