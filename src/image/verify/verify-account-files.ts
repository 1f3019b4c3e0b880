import { existsSync } from 'node:fs';
import { keptAccountFiles, mendAccountFiles, writeAccountFiles } from '../../snapshot/account-files.ts';
import { layerFoldersOf } from '../local-image.ts';
import type { LocalImage } from '../local-image.ts';
import type { Verification } from './verification.ts';

/**
 * Looks for what is kept beside the topmost layer. What it says is compared with the layers by a deep verification, which has just
 * read those: otherwise a good copy might be replaced by one of a damaged tree.
 */
export async function verifyAccountFiles(verification: Verification, image: LocalImage): Promise<void> {
  const { engine, children, mender, report } = verification;
  const isDeep = children !== undefined;
  const { root, format } = engine.store;
  const folders = layerFoldersOf(engine.store, image);
  const missing = keptAccountFiles(folders).filter((path) => !existsSync(path));
  const wrong = isDeep ? await mendAccountFiles(folders, format.whiteouts, { isDryRun: true }) : missing;
  if (wrong.length === 0) return;
  const repair = await mender?.rewrite(async () =>
    isDeep
      ? mendAccountFiles(folders, format.whiteouts, { isDryRun: false })
      : writeAccountFiles(folders, format.whiteouts),
  );
  for (const path of wrong) {
    const problem = missing.includes(path) ? 'it is not there' : 'it is not what the layers of the image say';
    report({ kind: 'file', path: path.slice(root.length + 1), problem }, repair);
  }
}
