import { DEFAULT_FILTER_ARM64 } from '../../../src/linux/seccomp/default-filter-arm64.ts';
import { describeDefaultFilter } from './describe-default-filter.ts';

describeDefaultFilter('DEFAULT_FILTER_ARM64', {
  filter: DEFAULT_FILTER_ARM64,
  architecture: 'arm64',
  abis: ['arm64', 'arm'],
});
