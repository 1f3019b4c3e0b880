// What no tool can be faster than, or not by much: the least that gives the same result with the programs of every machine.
import { versionOf } from '../find-program.mjs';

/** Two layers at a time: downloaded, hashed and unpacked by the fastest programs there are. */
export const pipeline = {
  name: 'curl, sha256sum, pigz, tar',
  version: () => versionOf('curl', 'pigz', 'tar'),
  open: async (workspace) => {
    const folder = workspace.makeFolder('pipeline');
    const layer =
      'mkdir "$0/$2" && curl -sf "$1/$2" | tee >(sha256sum >"$0/$2.sum") | pigz -dc | tar -x --numeric-owner -C "$0/$2"';
    return {
      /** `layers`: base URL of the blobs, and their digests. */
      pullLayers: ({ base, digests }) => ({
        argv: [
          'bash',
          '-c',
          'printf "%s\\n" "${@:3}" | xargs -P2 -n1 bash -c "$0" "$1" "$2"',
          layer,
          folder,
          base,
          ...digests,
        ],
      }),
      reset: async () => void workspace.makeFolder('pipeline'),
    };
  },
};

/** The start of the language that this is written in. */
export const node = {
  name: 'node -e 0',
  version: () => versionOf('node'),
  open: async () => ({ run: () => ({ argv: ['node', '-e', '0'] }) }),
};
