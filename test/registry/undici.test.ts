import { Agent, Pool, ProxyAgent, buildConnector, errors } from 'undici';
import { describe, expect, it } from 'vitest';

import * as parts from '../../src/registry/undici.ts';

describe('the parts of undici', () => {
  it('are what the index exports', () => {
    expect({ ...parts }).toStrictEqual({ Agent, Pool, ProxyAgent, buildConnector, errors });
  });
});
