import type { BundleRequest } from './bundle-request.ts';
import { bundleLinux } from './bundle-linux.ts';
import { bundleMounts } from './bundle-mounts.ts';
import { bundleProcess } from './bundle-process.ts';
import type { OciConfig } from './oci-config.ts';

/**
 * A container as an OCI runtime is told of it. Pure: looks at nothing but the request. There is no user namespace in it, as the
 * runtime is started inside of the one that the container is to have.
 */
export function bundleConfig(request: BundleRequest): OciConfig {
  return {
    ociVersion: '1.0.2', // what runc 1.1 and crun 1.8 know; nothing newer is used
    process: bundleProcess(request),
    root: { path: `${request.folder}/rootfs`, readonly: request.readOnlyRoot },
    hostname: request.hostname,
    mounts: bundleMounts(request),
    linux: bundleLinux(request),
  };
}
