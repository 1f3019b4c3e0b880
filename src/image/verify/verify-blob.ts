import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobProblem } from '../../store/blob-problem.ts';
import type { Repair } from './finding.ts';
import type { Verification } from './verification.ts';

/** Reads a blob that an image needs. Answers whether it is intact, by now. */
export async function verifyBlob(verification: Verification, descriptor: Descriptor): Promise<boolean> {
  const { mender, uses } = verification;
  const { digest } = descriptor;
  return look(verification, digest, async () =>
    mender?.fetchBlob({ descriptor, role: uses.ofBlob(digest).role, sources: uses.sourcesOf(digest) }),
  );
}

/** The same for one that no image of this engine needs. `owner` names an entry of another tool that does. */
export async function verifyOtherBlob(
  verification: Verification,
  digest: Digest,
  owner: string | undefined,
): Promise<boolean> {
  const { mender, engine } = verification;
  return look(verification, digest, async () => {
    if (owner === undefined) return mender?.discard(engine.store.blobs.path(digest));
    return mender && { isDone: false, reason: `another tool has put it there, for "${owner}"` };
  });
}

async function look(
  verification: Verification,
  digest: Digest,
  mend: () => Promise<Repair | undefined>,
): Promise<boolean> {
  const { blobs, engine, uses, signal } = verification;
  const known = blobs.get(digest);
  if (known !== undefined) return known;
  const found = await blobProblem(engine.store.blobs.path(digest), digest, signal);
  const repair = found && (await mend());
  if (found !== undefined) verification.report({ kind: 'blob', digest, ...uses.ofBlob(digest), ...found }, repair);
  const isIntact = found === undefined || repair?.isDone === true;
  blobs.set(digest, isIntact);
  return isIntact;
}
