import { describe, expect, it } from 'vitest';

import { exposedPorts } from '../../../src/container/network/port-range.ts';

describe('exposedPorts()', () => {
  it('reads EXPOSE in order, without repetitions and without what is no port', () => {
    const texts = ['443/tcp', '80', '80/tcp', '53/udp', '8000-8001/tcp', '9/sctp'];
    const hostile = [
      '0',
      '65536',
      '-5',
      '80/',
      '80/x',
      'a',
      '',
      '80/tcp\n',
      '90-80/tcp',
      '1-99999',
      '80/tcp --netns=x',
    ];
    expect(exposedPorts([...texts, ...hostile])).toEqual([
      { protocol: 'sctp', containerPort: 9 },
      { protocol: 'udp', containerPort: 53 },
      { protocol: 'tcp', containerPort: 80 },
      { protocol: 'tcp', containerPort: 443 },
      { protocol: 'tcp', containerPort: 8000 },
      { protocol: 'tcp', containerPort: 8001 },
    ]);
  });
});
