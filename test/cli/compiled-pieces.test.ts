import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

import { describe, expect, it } from 'vitest';

const BIN = fileURLToPath(new URL('../../dist/bin', import.meta.url));

describe('dist/bin', () => {
  const compiled = readdirSync(BIN).filter((name) => name.endsWith('.compiled'));

  it('has beside each file of pieces what V8 compiles it to', () => {
    const sources = readdirSync(BIN).filter(
      (name) => name.endsWith('.cjs') && !['mydocker.cjs', 'supervisor.cjs'].includes(name),
    );
    expect(compiled.sort()).toEqual(sources.map((name) => `${name}.compiled`).sort());
  });

  it.each(compiled)('%s is taken by the Node that it was built with', (name) => {
    const source = readFileSync(join(BIN, name.replace(/\.compiled$/, '')), 'utf8');
    const script = new Script(source, { cachedData: readFileSync(join(BIN, name)) });
    expect(script.cachedDataRejected).toBe(false);
  });
});
