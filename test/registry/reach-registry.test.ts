import { describe, expect, it } from 'vitest';
import { USERS } from './open-guarded.ts';
import { openClient, startTestRegistry } from './open-repository.ts';

describe('reach()', () => {
  it('asks once, without a login, and takes a demand for one for an answer', async () => {
    for (const auth of [undefined, { kind: 'basic', users: USERS } as const]) {
      const registry = await startTestRegistry(auth === undefined ? {} : { auth });
      const { client } = openClient();
      await client.reach(registry.host);
      expect(registry.log.map(({ method, path }) => `${method} ${path}`)).toEqual(['GET /v2/']);
      expect(registry.log[0]?.headers['authorization']).toBeUndefined();
    }
  });

  it('fails where nobody answers', async () => {
    const registry = await startTestRegistry();
    const { host } = registry;
    await registry.close();
    await expect(openClient().client.reach(host)).rejects.toMatchObject({
      code: 'ERR_NETWORK',
      message: expect.stringContaining(`Cannot reach "${host}"`) as string,
    });
  });

  it('stops when told to', async () => {
    const registry = await startTestRegistry();
    await expect(openClient().client.reach(registry.host, AbortSignal.abort())).rejects.toMatchObject({
      code: 'ERR_ABORTED',
    });
  });
});
