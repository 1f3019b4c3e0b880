import { describe } from 'vitest';
import { copyDriver } from '../../src/snapshot/copy.ts';
import { overlayDriver } from '../../src/snapshot/overlay.ts';
import { conformsAsSnapshotDriver } from '../conformance/snapshot-driver.ts';
import { requires } from '../support/requirements.ts';

describe('overlayDriver()', requires('root', 'setfattr'), () => {
  conformsAsSnapshotDriver(() => overlayDriver('trusted'));
});

describe('copyDriver()', requires('root', 'setfattr'), () => {
  conformsAsSnapshotDriver((runnerFolder) =>
    copyDriver({ whiteouts: 'trusted', ownership: { kind: 'root' }, runnerFolder }),
  );
});
