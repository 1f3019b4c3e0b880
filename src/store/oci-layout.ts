import fs from 'node:fs';

/** What makes a folder an OCI image layout. https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md#oci-layout-file */
export const OCI_LAYOUT = '{"imageLayoutVersion":"1.0.0"}';

/** What is wrong with an `oci-layout` file, as a clause. Another tool may have written it, with other spaces. */
export function ociLayoutProblem(path: string): string | undefined {
  if (!fs.existsSync(path)) return 'it is not there';
  try {
    const value: unknown = JSON.parse(fs.readFileSync(path, 'utf8'));
    return JSON.stringify(value) === OCI_LAYOUT ? undefined : `it does not say ${OCI_LAYOUT}`;
  } catch {
    return 'it is not JSON';
  }
}
