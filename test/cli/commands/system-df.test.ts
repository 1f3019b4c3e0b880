import { describe, expect, it } from 'vitest';
import { systemDfCommand } from '../../../src/cli/commands/system-df.ts';
import type { DiskUsage } from '../../../src/container/disk-usage.ts';
import { container } from '../support/containers.ts';
import { fakeContext } from '../support/fake-context.ts';
import { image } from '../support/images.ts';

const USAGE: DiskUsage = {
  images: {
    total: 5,
    active: 2,
    bytes: 16_430_000,
    reclaimableBytes: 11_630_000,
    items: [
      { image: image('alpine:latest', { id: 'a', age: 50 }), bytes: 9_000_000, sharedBytes: 4_000_000, containers: 2 },
      { image: image(undefined, { id: 'b' }), bytes: 7_430_000, sharedBytes: 0, containers: 0 },
    ],
  },
  containers: {
    total: 2,
    active: 0,
    bytes: 212,
    reclaimableBytes: 212,
    items: [{ container: container('web', { status: 'exited', exitCode: 0 }), bytes: 212, incomplete: false }],
  },
  partialDownloads: { total: 0, active: 0, bytes: 0, reclaimableBytes: 0 },
};

async function run(argv: string[], usage: DiskUsage = USAGE): Promise<{ out: string; err: string }> {
  const context = fakeContext({ diskUsage: async () => usage });
  expect(await systemDfCommand.execute({ path: 'mydocker system df', argv }, context)).toBe(0);
  return { out: context.out(), err: context.err() };
}

describe('system df', () => {
  it('prints docker’s table', async () => {
    expect(await run([])).toEqual({
      err: '',
      out:
        'TYPE                TOTAL     ACTIVE    SIZE      RECLAIMABLE\n' +
        'Images              5         2         16.43MB   11.63MB (70%)\n' +
        'Containers          2         0         212B      212B (100%)\n' +
        'Partial downloads   0         0         0B        0B\n',
    });
  });

  it('prints docker’s tables of each image and container with -v', async () => {
    const { out } = await run(['-v']);
    const [images, containers, downloads] = out.split('\n\n').filter((part) => !part.endsWith(':'));
    expect(out.startsWith('Images space usage:\n\n')).toBe(true);
    expect(images).toBe(
      'REPOSITORY   TAG       IMAGE ID       CREATED             SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS\n' +
        'alpine       latest    aaaaaaaaaaaa   2 days ago          9MB       4MB           5MB           2\n' +
        '<none>       <none>    bbbbbbbbbbbb   About an hour ago   7.43MB    0B            7.43MB        0',
    );
    expect(containers).toMatch(
      /^CONTAINER ID {3}IMAGE +COMMAND +LOCAL VOLUMES {3}SIZE +CREATED +STATUS +NAMES\naaaaaaaaaaaa {3}alpine +"sh" +0 +212B +10 minutes ago {3}Exited \(0\) 5 minutes ago {3}web$/,
    );
    expect(downloads).toBe('Partial downloads usage: 0B\n');
  });

  it('takes formats', async () => {
    expect((await run(['--format', '{{.Type}}: {{.Reclaimable}}'])).out).toBe(
      'Images: 11.63MB (70%)\nContainers: 212B (100%)\nPartial downloads: 0B\n',
    );
    const [line = ''] = (await run(['--format', 'json'])).out.split('\n');
    expect(line).toBe('{"Active":"2","Reclaimable":"11.63MB (70%)","Size":"16.43MB","TotalCount":"5","Type":"Images"}');
    const format = '{{range .Images}}{{.ID}} {{.UniqueSize}} {{end}}{{range .Containers}}{{.Names}} {{.Size}}{{end}}';
    expect((await run(['-v', '--format', format])).out).toMatch(/^sha256:a{64} 5MB sha256:b{64} 7\.43MB web 212B\n$/);
    expect(JSON.parse((await run(['-v', '--format', 'json'])).out)).toMatchObject({
      Images: [{ Repository: 'alpine', SharedSize: '4MB', Containers: '2' }, { Repository: '<none>' }],
      Containers: [{ Names: 'web', Size: '212B' }],
    });
  });

  it('says that containers were not measured as a whole', async () => {
    const [item] = USAGE.containers.items;
    if (item === undefined) throw new Error('no container');
    const usage = { ...USAGE, containers: { ...USAGE.containers, items: [{ ...item, incomplete: true }] } };
    expect((await run([], usage)).err).toContain('their sizes are too small');
  });
});
