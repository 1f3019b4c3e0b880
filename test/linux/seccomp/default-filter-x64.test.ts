import { DEFAULT_FILTER_X64 } from '../../../src/linux/seccomp/default-filter-x64.ts';
import { describeDefaultFilter } from './describe-default-filter.ts';

describeDefaultFilter('DEFAULT_FILTER_X64', {
  filter: DEFAULT_FILTER_X64,
  architecture: 'amd64',
  abis: ['x64', 'ia32'],
});
