import { join } from 'node:path';

import { execute } from './execute.ts';

/** Paths of PEM files. */
export interface Certificate {
  certificate: string;
  key: string;
}

/** A self-signed certificate of 127.0.0.1 and of `hostName`, as NAME.pem and NAME.key in `folder`. */
export function makeCertificate(folder: string, name: string, hostName: string = 'localhost'): Certificate {
  const made = { certificate: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) };
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=IP:127.0.0.1,DNS:${hostName}`];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  execute('openssl', ['req', ...kind, '-keyout', made.key, '-out', made.certificate, ...names]);
  return made;
}
