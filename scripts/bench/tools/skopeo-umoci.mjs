import { join } from 'node:path';

import { versionOf } from '../find-program.mjs';

/** skopeo downloads into an OCI layout, umoci unpacks it. */
export const skopeoUmoci = {
  name: 'skopeo and umoci',
  version: () => versionOf('skopeo', 'umoci'),
  open: async (workspace) => {
    const folder = workspace.makeFolder('skopeo-umoci');
    const layout = join(folder, 'layout');
    const script =
      'skopeo copy -q --src-tls-verify=false "docker://$1" "oci:$2:image" && umoci unpack --image "$2:image" "$3" >/dev/null';
    return {
      pull: (image) => ({ argv: ['sh', '-c', script, 'sh', image, layout, join(folder, 'bundle')] }),
      reset: async () => void workspace.makeFolder('skopeo-umoci'),
    };
  },
};
