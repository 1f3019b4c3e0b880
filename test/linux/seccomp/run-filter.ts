/** A system call as a filter sees it: struct seccomp_data. */
export interface FilteredCall {
  /** AUDIT_ARCH_*; x86-64 if not given. */
  architecture?: number;
  number: number;
  args?: readonly bigint[];
}

export const AUDIT = { x64: 0xc000003e, ia32: 0x40000003, arm64: 0xc00000b7, arm: 0x40000028 } as const;
export const ANSWER = { allow: 0x7fff0000, kill: 0x80000000, eperm: 0x00050001, enosys: 0x00050026 } as const;

/** Executes a filter as the kernel does, written independently of the assembler; refuses what the kernel would refuse. */
export function runFilter(filter: Uint8Array, { architecture = AUDIT.x64, number, args = [] }: FilteredCall): number {
  const program = Buffer.from(filter);
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [index, arg] of args.entries()) data.writeBigUInt64LE(BigInt.asUintN(64, arg), 16 + index * 8);
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    if (at * 8 >= program.length) throw new Error('the filter has no end');
    const [code, jt, jf] = [program.readUInt16LE(at * 8), program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const k = program.readUInt32LE(at * 8 + 4);
    if (code === 0x06) return k;
    if (code === 0x20) accumulator = data.readUInt32LE(k);
    else if (code === 0x54) accumulator = (accumulator & k) >>> 0;
    else if (code === 0x05) at += k;
    else at += isTrue(code, accumulator, k) ? jt : jf;
  }
}

function isTrue(code: number, accumulator: number, k: number): boolean {
  if (code === 0x15) return accumulator === k;
  if (code === 0x25) return accumulator > k;
  if (code === 0x35) return accumulator >= k;
  throw new Error(`the kernel knows no instruction ${code}`);
}
