import { describe, expect, it, vi } from 'vitest';
import { imagesCommand } from '../../../src/cli/commands/images.ts';
import type { ImageSummary } from '../../../src/image/list-images.ts';
import { fakeContext } from '../support/fake-context.ts';
import { digest, image } from '../support/images.ts';

const IMAGES = [
  image('alpine:3.19', { id: 'a', digest: '1', age: 24 * 5 }),
  image('registry.example.com:5000/team/app:v1', { id: 'b', digest: '2', age: 24 * 400, size: 1_090_000_000 }),
  image(`busybox@${digest('3')}`, { id: 'c', digest: '3', size: 999 }),
  image(undefined, { id: 'd', digest: '4' }),
];

async function run(
  argv: string[],
  images: ImageSummary[] = IMAGES,
): Promise<{ code: number; out: string; err: string }> {
  const context = fakeContext({ images: async () => images, imageLabels: async () => ({ tier: 'base' }) });
  const code = await imagesCommand.execute({ path: 'mydocker images', argv }, context);
  return { code, out: context.out(), err: context.err() };
}

const HEADER = 'REPOSITORY                           TAG       IMAGE ID       CREATED             SIZE\n';
const ROWS = [
  'alpine                               3.19      aaaaaaaaaaaa   5 days ago          7.38MB\n',
  'registry.example.com:5000/team/app   v1        bbbbbbbbbbbb   13 months ago       1.09GB\n',
  'busybox                              <none>    cccccccccccc   About an hour ago   999B\n',
];

describe('images', () => {
  it('prints docker’s table', async () => {
    expect(await run([])).toEqual({ code: 0, out: HEADER + ROWS.join(''), err: '' });
  });

  it('prints the header alone for an empty store', async () => {
    expect((await run([], [])).out).toBe('REPOSITORY   TAG       IMAGE ID   CREATED   SIZE\n');
  });

  it('lists what has no name with -a', async () => {
    expect((await run(['-a'])).out).toBe(
      `${HEADER}${ROWS.join('')}<none>                               <none>    dddddddddddd   About an hour ago   7.38MB\n`,
    );
  });

  it('has a column for digests with --digests, in a table of the user’s own as well', async () => {
    const { out } = await run(['--digests', 'alpine']);
    expect(out).toBe(
      `REPOSITORY   TAG       DIGEST                                                                    IMAGE ID       CREATED      SIZE\n` +
        `alpine       3.19      ${digest('1')}   aaaaaaaaaaaa   5 days ago   7.38MB\n`,
    );
    expect((await run(['--digests', '--format', 'table {{.Tag}}', 'alpine'])).out).toBe(
      `TAG       DIGEST\n3.19      ${digest('1')}\n`,
    );
    expect((await run(['--format', '{{.Digest}}', 'alpine'])).out).toBe(`${digest('1')}\n`);
  });

  it.each<[string[], unknown]>([
    [['-q'], 'aaaaaaaaaaaa\nbbbbbbbbbbbb\ncccccccccccc\n'],
    [['-q', 'alpine'], 'aaaaaaaaaaaa\n'],
    [['-q', '--no-trunc', 'alpine'], `${digest('a')}\n`],
    [['-q', '--format', 'table', 'alpine'], 'aaaaaaaaaaaa\n'],
    [['-q', '--format', '{{.Tag}}', 'alpine'], '3.19\n'],
    [['-q', 'nothing'], ''],
    [['--filter', 'reference=reg*/*/*', '-q'], 'bbbbbbbbbbbb\n'],
    [['-f', 'label=tier=base', '-f', 'dangling=true', '-q'], 'dddddddddddd\n'],
    [['--format', '{{.Repository}}:{{.Tag}}', 'alpine:*'], 'alpine:3.19\n'],
    [['--format', '{{.CreatedAt}}', 'alpine'], expect.stringMatching(/^2023-12-28 /)],
  ])('%j', async (argv, out) => {
    expect(await run(argv)).toEqual({ code: 0, out, err: '' });
  });

  it('prints docker’s JSON', async () => {
    const { out } = await run(['--format', 'json', 'alpine']);
    expect(out).toMatch(
      /^\{"Containers":"N\/A","CreatedAt":"[^"]+","CreatedSince":"5 days ago","Digest":"\\u003cnone\\u003e",/,
    );
    expect(JSON.parse(out)).toMatchObject({ ID: 'aaaaaaaaaaaa', Repository: 'alpine', Tag: '3.19', Size: '7.38MB' });
  });

  it('says N/A for an image that does not tell when it was made', async () => {
    const { out } = await run([], [{ ...image('alpine:3.19'), created: undefined }]);
    expect(out.split('\n')[1]).toBe('alpine       3.19      aaaaaaaaaaaa   N/A       7.38MB');
  });

  it('shows a digest only where the image has no tag of that repository', async () => {
    const beside = [
      image('alpine:3.19', { id: 'a' }),
      image(`alpine@${digest('1')}`, { id: 'a' }),
      image(`alpine@${digest('2')}`, { id: 'b' }),
      image(`other@${digest('1')}`, { id: 'a' }),
    ];
    const { out } = await run(['--format', '{{.Repository}} {{.Tag}}'], beside);
    expect(out).toBe('alpine 3.19\nalpine <none>\nother <none>\n');
  });

  it('asks whether "images ls" was meant to be "image ls", if there is no image of that name', async () => {
    expect(await run(['ls', '-q'])).toEqual({
      code: 0,
      out: '',
      err: 'No images found matching "ls": did you mean "mydocker image ls"?\n',
    });
    expect((await run(['ls', '-q'], [image('ls:latest')])).err).toBe('');
    expect((await run(['nothing', '-q'])).err).toBe('');
  });

  it('does not read labels that nobody asked for', async () => {
    const imageLabels = vi.fn(async () => ({}));
    const context = fakeContext({ images: async () => IMAGES, imageLabels });
    await imagesCommand.execute({ path: 'mydocker images', argv: [] }, context);
    expect(imageLabels).not.toHaveBeenCalled();
  });

  it('uses the store that --home names', async () => {
    const images = vi.fn(async () => IMAGES);
    const context = fakeContext({ images }, { home: '/from/environment' });
    await imagesCommand.execute({ path: 'mydocker images', argv: [] }, context);
    await imagesCommand.execute({ path: 'mydocker images', argv: ['--home', '/from/flag'] }, context);
    expect(images.mock.calls).toEqual([[{ home: '/from/environment' }], [{ home: '/from/flag' }]]);
  });

  it.each([
    [['--format', '{{.Nope}}'], `can't evaluate field Nope in type *formatter.imageContext`],
    [['--format', '{{foo}}'], 'function "foo" not defined'],
    [['-f', 'bogus=1'], "Error: invalid filter 'bogus'"],
    [['a', 'b'], "mydocker: 'mydocker images' requires at most 1 argument"],
  ])('fails for %j', async (argv, message) => {
    await expect(run(argv)).rejects.toThrow(message);
  });
});
