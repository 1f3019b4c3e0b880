import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

import { debianMirror, saveArchive } from './debian-archive.ts';
import { startDistribution } from './distribution.ts';
import { execute } from './execute.ts';
import { layBusybox } from './lay-busybox.ts';
import { writeLayeredLayers } from './layered-layers.ts';
import { ApiPusher, type PushedDescriptor } from './push-by-api.ts';

/** The images that the end-to-end tests use, built once per machine and recipe. */
export interface BuiltImages {
  /** Storage folder of a Distribution that has them all. */
  storage: string;
  /** OCI layout with the tags `busybox`, `debian`, `layered` and others, for umoci. */
  layout: string;
  /** A part of the Debian archive, for apt in `debian`: see debian-archive.ts. */
  archive: string;
}

const RECIPES = ['build-images.ts', 'debian-archive.ts', 'lay-busybox.ts', 'layered-layers.ts', 'push-by-api.ts'];
const PATH_IN_IMAGE = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** A program; one with a capability on its file; one with a group of its own and libraries. */
const PACKAGES_TO_INSTALL = ['hello', 'iputils-ping', 'libcap2-bin', 'openssh-client'];
const INDEX = 'application/vnd.oci.image.index.v1+json';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

/** Answers with the images in `cache`, made first where they are not there. Takes about two minutes and 700 MB; needs root. */
export async function buildImages(cache: string): Promise<BuiltImages> {
  const folder = join(cache, recipeKey());
  if (!existsSync(folder)) {
    mkdirSync(cache, { recursive: true });
    const unfinished = mkdtempSync(join(cache, 'unfinished-'));
    try {
      await buildInto(unfinished);
      publish(unfinished, folder);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return { storage: join(folder, 'registry'), layout: join(folder, 'layout'), archive: join(folder, 'archive') };
}

/** Another recipe is another folder; the old ones can be deleted at any time. */
function recipeKey(): string {
  const hash = createHash('sha256').update(process.arch);
  for (const recipe of RECIPES) hash.update(readFileSync(new URL(recipe, import.meta.url)));
  return hash.digest('hex').slice(0, 12);
}

function publish(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // otherwise another run was first, with the same recipe
  }
}

async function buildInto(folder: string): Promise<void> {
  const layout = join(folder, 'layout');
  const work = mkdtempSync(join(tmpdir(), 'mydocker-images-'));
  execute('umoci', ['init', '--layout', layout]);
  const registry = await startDistribution({ storage: join(folder, 'registry') });
  try {
    const images = new ImageBuilder(layout, registry.host, work);
    images.buildBusybox();
    images.buildDebian(join(folder, 'archive'));
    images.buildPrograms();
    images.buildConfigured();
    images.buildSharing();
    await images.buildLayered();
    await images.buildMultiPlatform();
  } finally {
    await registry.stop();
    rmSync(work, { recursive: true });
  }
}

class ImageBuilder {
  readonly #layout: string;
  readonly #host: string;
  readonly #work: string;

  constructor(layout: string, host: string, work: string) {
    this.#layout = layout;
    this.#host = host;
    this.#work = work;
  }

  /** library/busybox, also as a Docker schema 2 manifest. */
  buildBusybox(): void {
    const root = this.#folder('busybox');
    layBusybox(root);
    this.#new('busybox', [this.#tar(root)]);
    this.#configure('busybox', '--config.cmd=sh');
    this.#push('busybox', 'library/busybox:latest');
    this.#push('busybox', 'library/busybox:1.0', '--format=v2s2');
  }

  /** library/debian: what mmdebstrap makes from the machine's own package mirror; and in `archive` some packages to install in it. */
  buildDebian(archive: string): void {
    const uris = join(this.#work, 'uris');
    const listUris = `chroot "$1" apt-get install -y --no-install-recommends --print-uris ${PACKAGES_TO_INSTALL.join(' ')} >'${uris}'`;
    this.#bootstrap('debian', `--customize-hook=${listUris}`);
    saveArchive(archive, { ...debianMirror(), packages: readFileSync(uris, 'utf8') });
  }

  /** library/programs: Debian with programs that people run in containers. */
  buildPrograms(): void {
    this.#bootstrap('programs', '--include=gcc,libc6-dev,redis-server');
  }

  #bootstrap(name: string, ...options: string[]): void {
    const tar = join(this.#work, `${name}.tar`);
    const { uri, codename } = debianMirror();
    execute('mmdebstrap', ['--quiet', '--variant=minbase', ...options, codename, tar, uri]);
    this.#new(name, [tar]);
    this.#configure(name, '--config.cmd=bash');
    this.#push(name, `library/${name}:latest`);
    rmSync(tar);
  }

  /** configured: an image that sets everything that an image can set for `run`. */
  buildConfigured(): void {
    execute('umoci', ['tag', '--image', `${this.#layout}:busybox`, 'configured']);
    const script = this.#folder('configured');
    writeFileSync(join(script, 'entry'), '#!/bin/sh\necho "entry:$*"\n', { mode: 0o755 });
    writeFileSync(join(script, 'not-executable'), 'text\n');
    this.#addLayer('configured', this.#tar(script));
    this.#configure(
      'configured',
      '--clear=config.cmd',
      '--config.entrypoint=/entry',
      '--config.cmd=default',
      '--config.cmd=words',
    );
    this.#configure('configured', '--config.user=app', '--config.workingdir=/work/dir', '--config.env=FROM_IMAGE=yes');
    this.#push('configured', 'test/configured:latest');
  }

  /** shared/one and shared/two: one layer in common and one of their own. */
  buildSharing(): void {
    for (const name of ['one', 'two']) {
      execute('umoci', ['tag', '--image', `${this.#layout}:busybox`, name]);
      const root = this.#folder(name);
      writeFileSync(join(root, name), name);
      this.#addLayer(name, this.#tar(root));
      this.#push(name, `shared/${name}:latest`);
    }
  }

  /** layered: gzip, zstd (skopeo recompresses) and plain layers with the same content. */
  async buildLayered(): Promise<void> {
    const folder = this.#folder('layered-work');
    this.#new('layered', await writeLayeredLayers(folder));
    this.#configure('layered', '--config.cmd=sh');
    this.#push('layered', 'test/layered:gzip');
    this.#push('layered', 'test/layered:zstd', '--dest-compress-format=zstd', '--format=oci');
    await this.#pushUncompressed('test/layered', 'gzip', 'plain');
    this.#new('big-ids', [this.#tarOfBigIds()]);
    this.#push('big-ids', 'test/big-ids:latest');
  }

  async #pushUncompressed(repository: string, from: string, to: string): Promise<void> {
    const api = new ApiPusher(this.#host, repository);
    const manifest = JSON.parse((await api.readManifest(from)).content.toString()) as Manifest;
    const layers: PushedDescriptor[] = [];
    for (const layer of manifest.layers) {
      const content = gunzipSync(await api.readBlob(layer.digest));
      layers.push(await api.pushBlob(content, 'application/vnd.oci.image.layer.v1.tar'));
    }
    await api.pushManifest(to, { ...manifest, mediaType: MANIFEST, layers }); // umoci leaves the media type out
  }

  /** Owners beyond 2^21, in a PAX record and in the base-256 form of GNU tar. */
  #tarOfBigIds(): string {
    const root = this.#folder('big-ids');
    layBusybox(root);
    writeFileSync(join(root, 'owned'), 'by a big id\n');
    execute('chown', ['3000000:4000000', join(root, 'owned')]);
    return this.#tar(root, 'gnu');
  }

  /** multi: an index of two platforms and an attestation, as buildx writes it. */
  async buildMultiPlatform(): Promise<void> {
    const api = new ApiPusher(this.#host, 'test/multi');
    const manifests: object[] = [];
    for (const [architecture, variant] of [
      ['arm64', 'v8'],
      ['amd64', undefined],
    ] as const) {
      execute('umoci', ['tag', '--image', `${this.#layout}:busybox`, architecture]);
      const root = this.#folder(architecture);
      writeFileSync(join(root, 'platform'), `${architecture}\n`);
      this.#addLayer(architecture, this.#tar(root));
      this.#configure(architecture, `--architecture=${architecture}`, '--os=linux');
      this.#push(architecture, `test/multi:${architecture}`);
      const { descriptor } = await api.readManifest(architecture);
      const platform = { os: 'linux', architecture, ...(variant === undefined ? {} : { variant }) };
      manifests.push({ ...descriptor, platform });
    }
    manifests.push({
      ...(await this.#pushAttestation(api)),
      platform: { os: 'unknown', architecture: 'unknown' },
      annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
    });
    await api.pushManifest('latest', { schemaVersion: 2, mediaType: INDEX, manifests });
  }

  async #pushAttestation(api: ApiPusher): Promise<PushedDescriptor> {
    const config = await api.pushBlob(Buffer.from('{}'), 'application/vnd.oci.image.config.v1+json');
    const layer = await api.pushBlob(Buffer.from('{"statement":true}'), 'application/vnd.in-toto+json');
    return api.pushManifest('attestation', { schemaVersion: 2, mediaType: MANIFEST, config, layers: [layer] });
  }

  #folder(name: string): string {
    const folder = join(this.#work, name);
    mkdirSync(folder, { mode: 0o755 });
    return folder;
  }

  #tar(root: string, format = 'posix'): string {
    const tar = `${root}.tar`;
    execute('tar', ['--create', `--file=${tar}`, `--format=${format}`, '--numeric-owner', '--sort=name', '.'], {
      cwd: root,
    });
    return tar;
  }

  #new(tag: string, layers: string[]): void {
    execute('umoci', ['new', '--image', `${this.#layout}:${tag}`]);
    for (const layer of layers) this.#addLayer(tag, layer);
    this.#configure(tag, `--config.env=${PATH_IN_IMAGE}`);
  }

  #addLayer(tag: string, tar: string): void {
    execute('umoci', ['raw', 'add-layer', '--image', `${this.#layout}:${tag}`, tar]);
  }

  #configure(tag: string, ...options: string[]): void {
    execute('umoci', ['config', '--image', `${this.#layout}:${tag}`, ...options]);
  }

  #push(tag: string, target: string, ...options: string[]): void {
    const [from, to] = [`oci:${this.#layout}:${tag}`, `docker://${this.#host}/${target}`];
    execute('skopeo', ['copy', '--quiet', '--dest-tls-verify=false', ...options, from, to]);
  }
}

interface Manifest {
  layers: PushedDescriptor[];
}
