import { join } from 'node:path';
import { isToolError } from '../../errors.ts';
import type { ToolError } from '../../errors.ts';
import { throwIfAborted } from '../../fs/abort.ts';
import { writeFileAtomic } from '../../fs/write-file-atomic.ts';
import { createUnpackChildren } from '../../layer/unpack-children.ts';
import { findExtras } from '../../store/find-extras.ts';
import { foreignContent } from '../../store/foreign-content.ts';
import { holdContent } from '../../store/hold-content.ts';
import type { HeldContent } from '../../store/hold-content.ts';
import type { ImageRecord } from '../../store/image-record.ts';
import { storePaths } from '../../store/layout.ts';
import { OCI_LAYOUT, ociLayoutProblem } from '../../store/oci-layout.ts';
import { readNames } from '../../store/read-names.ts';
import type { Names } from '../../store/read-names.ts';
import { restoreIndex } from '../../store/restore-index.ts';
import type { Engine } from '../engine.ts';
import { findImage, noSuchImage } from '../find-image.ts';
import { readUses } from './content-uses.ts';
import { findStoredImages } from './find-stored-images.ts';
import type { Damage, Finding, Repair } from './finding.ts';
import { createMender } from './mender.ts';
import type { MenderOptions } from './mender.ts';
import type { Verification } from './verification.ts';
import { verifyOtherBlob } from './verify-blob.ts';
import { NAMES_STAY, verifyImage } from './verify-image.ts';
import { verifyOtherLayer } from './verify-layers.ts';

export interface VerifyStoreOptions {
  /** Name or ID of the only image to look at. */
  image?: string | undefined;
  /** Also compare what is in the layers, file by file. */
  deep?: boolean | undefined;
  /** Nothing is changed unless given. */
  repair?: Omit<MenderOptions, 'signal'> | undefined;
  /** What was wrong with `store.json`, which is good again. */
  restoredFormat?: string | undefined;
  signal?: AbortSignal | undefined;
  /** Called with each finding at once, after its repair. */
  onFinding?: ((finding: Finding) => void) | undefined;
}

export interface VerifyReport {
  /** How many were looked at. */
  images: number;
  blobs: number;
  layers: number;
  findings: Finding[];
}

/**
 * Reads everything that is in the store and compares it with what it should be. Other commands may be at work meanwhile: nothing
 * that was there at the beginning is deleted under it, and what they are about to add is not looked at.
 * @throws {ToolError} ERR_NO_SUCH_IMAGE, ERR_USAGE, ERR_STORE, ERR_ABORTED; with `repair` ERR_NO_SPACE as well
 */
export async function verifyStore(engine: Engine, options: VerifyStoreOptions = {}): Promise<VerifyReport> {
  const { signal, repair } = options;
  throwIfAborted(signal, 'verify the store');
  const read = async (): Promise<Names | ToolError> => readOrExplain(storePaths(engine.store.root).index);
  const held = await holdContent(engine.store, { read, needsLease: repair !== undefined, signal });
  const mender = repair && createMender(engine, { ...repair, signal });
  const place = { ownership: engine.layerOwnership, runnerFolder: engine.store.paths.runner };
  const children = options.deep === true ? createUnpackChildren(place) : undefined;
  try {
    return await verifyHeld(engine, held, { ...options, mender, children });
  } finally {
    await children?.close();
    await mender?.close();
    await held.release();
  }
}

interface HeldOptions extends VerifyStoreOptions {
  mender: Verification['mender'];
  children: Verification['children'];
}

type Held = HeldContent & { value: Names | ToolError };

async function verifyHeld(engine: Engine, held: Held, options: HeldOptions): Promise<VerifyReport> {
  const { image, restoredFormat, onFinding, mender, children, signal } = options;
  const findings: Finding[] = [];
  const report = (damage: Damage, repair?: Repair): void => {
    const finding = repair === undefined ? damage : { ...damage, repair };
    findings.push(finding);
    onFinding?.(finding);
  };
  if (restoredFormat !== undefined) {
    report({ kind: 'file', path: 'store.json', problem: restoredFormat }, { isDone: true, how: 'written again' });
  }
  const names = await verifyIndex(engine, { held, options, report });
  const chosen = image === undefined ? names.records : choose(names.records, image);
  const verification: Verification = {
    engine,
    uses: await readUses(engine.store, names),
    children,
    mender,
    signal,
    blobs: new Map(),
    layers: new Map(),
    report,
  };
  reportNames(verification, names, image === undefined ? undefined : chosen);
  for (const record of chosen) await verifyImage(verification, record);
  if (image === undefined) await verifyRest(verification, held, names);
  return { images: chosen.length, blobs: verification.blobs.size, layers: verification.layers.size, findings };
}

const NO_NAMES: Names = { records: [], foreign: [], problems: [] };

/** Reports an index.json that cannot be read, or not all of it. Answers the names, what is left of them after a repair. */
async function verifyIndex(
  engine: Engine,
  { held, options, report }: { held: Held; options: HeldOptions; report: Verification['report'] },
): Promise<Names> {
  const { value } = held;
  const { mender, signal } = options;
  const loss = value instanceof Error ? value.message : value.problems.find(({ isFatal }) => isFatal)?.problem;
  if (loss !== undefined && mender !== undefined) {
    const { root } = engine.store;
    const images = await findStoredImages(engine.store, held.blobs, signal);
    const { names, unnamed } = await restoreIndex(root, images, signal);
    const problem = `${loss}: names that could be saved: ${names}; images that have lost theirs: ${unnamed}`;
    report({ kind: 'file', path: 'index.json', problem }, { isDone: true, how: 'written again' });
    return readNames(storePaths(root).index);
  }
  if (!(value instanceof Error)) return value;
  if (options.image !== undefined) throw value;
  report({ kind: 'file', path: 'index.json', problem: value.message });
  return NO_NAMES;
}

/** An error says that nothing can be known of the names. */
async function readOrExplain(index: string): Promise<Names | ToolError> {
  try {
    return await readNames(index);
  } catch (error) {
    if (isToolError(error, 'ERR_STORE_DAMAGED')) return error;
    throw error;
  }
}

function choose(records: readonly ImageRecord[], image: string): readonly ImageRecord[] {
  const found = findImage(records, image);
  if (found === undefined) throw noSuchImage(image);
  return found.named === undefined ? found.records : [found.named];
}

function reportNames({ report, mender }: Verification, names: Names, only: readonly ImageRecord[] | undefined): void {
  for (const { name, problem } of names.problems) {
    if (only !== undefined && !only.some((record) => record.name === name)) continue;
    report({ kind: 'name', name, problem }, mender && NAMES_STAY);
  }
}

/** What no image of ours leads to, and the store's own files. */
async function verifyRest(verification: Verification, held: HeldContent, names: Names): Promise<void> {
  const { engine } = verification;
  const owners = foreignContent(engine.store.blobs, names.foreign);
  for (const digest of held.blobs) await verifyOtherBlob(verification, digest, owners.get(digest));
  for (const chainId of held.layers) await verifyOtherLayer(verification, chainId);
  await verifyLayout(verification);
  await verifyExtras(verification);
}

async function verifyLayout({ engine, mender, report }: Verification): Promise<void> {
  const { ociLayout } = storePaths(engine.store.root);
  const problem = ociLayoutProblem(ociLayout);
  if (problem === undefined) return;
  const repair = await mender?.rewrite(async () => writeFileAtomic(ociLayout, Buffer.from(OCI_LAYOUT), 0o644));
  report({ kind: 'file', path: 'oci-layout', problem }, repair);
}

async function verifyExtras({ engine, mender, report }: Verification): Promise<void> {
  const { root } = engine.store;
  for (const path of findExtras(storePaths(root))) {
    report({ kind: 'extra', path, problem: 'it is no part of the store' }, await mender?.discard(join(root, path)));
  }
}
