/** The place of an instruction that is there already: programs are written from their end, so that every jump has a target. */
export type Label = number;

export interface BpfAssembler {
  /** Ends the filter with `action`. */
  return(action: number): Label;
  /** Puts the 32-bit word at `offset` of struct seccomp_data into the accumulator, and goes on at `next`. */
  load(offset: number, next: Label): Label;
  /** Keeps those bits of the accumulator that `mask` has, and goes on at `next`. */
  and(mask: number, next: Label): Label;
  /** Compares the accumulator with `value`. */
  jump(comparison: JumpComparison, value: number, targets: { yes: Label; no: Label }): Label;
  /** The program as an array of struct sock_filter, beginning with the instruction that was written last. */
  bytes(): Buffer;
}

export type JumpComparison = keyof typeof JUMP;

/** BPF_JMP with BPF_JEQ, BPF_JGT, BPF_JGE: include/uapi/linux/bpf_common.h. */
const JUMP = { equal: 0x15, greater: 0x25, 'greater-or-equal': 0x35 } as const;
const LOAD_ABSOLUTE = 0x20; // BPF_LD | BPF_W | BPF_ABS
const AND = 0x54; // BPF_ALU | BPF_AND | BPF_K
const JUMP_ALWAYS = 0x05; // BPF_JMP | BPF_JA
const RETURN = 0x06; // BPF_RET | BPF_K

const INSTRUCTION_SIZE = 8; // bytes: u16 code, u8 jt, u8 jf, u32 k
const NEAR = 250; // instructions: the offsets of a conditional jump have 8 bits, and two more jumps may come in between

/** Writes classic BPF for seccomp: https://docs.kernel.org/networking/filter.html */
export function createBpfAssembler(): BpfAssembler {
  const reversed: Buffer[] = [];
  const returns = new Map<number, Label>();

  function emit(code: number, k: number, [jt, jf]: readonly [number, number] = [0, 0]): Label {
    const instruction = Buffer.alloc(INSTRUCTION_SIZE);
    instruction.writeUInt16LE(code, 0);
    instruction.writeUInt8(jt, 2);
    instruction.writeUInt8(jf, 3);
    instruction.writeUInt32LE(k >>> 0, 4);
    return reversed.push(instruction) - 1;
  }

  /** How many instructions lie between the next one to be written and `label`. */
  const distance = (label: Label): number => reversed.length - label - 1;
  const jumpTo = (label: Label): Label => emit(JUMP_ALWAYS, distance(label));
  const near = (label: Label): Label => (distance(label) < NEAR ? label : jumpTo(label));

  /** Only jumps have targets; what else there is goes on with the instruction that follows it. */
  function follow(next: Label): void {
    if (distance(next) > 0) jumpTo(next);
  }

  return {
    return(action) {
      const known = returns.get(action);
      if (known !== undefined && distance(known) < NEAR) return known;
      const label = emit(RETURN, action);
      returns.set(action, label);
      return label;
    },
    load(offset, next) {
      follow(next);
      return emit(LOAD_ABSOLUTE, offset);
    },
    and(mask, next) {
      follow(next);
      return emit(AND, mask);
    },
    jump(comparison, value, { yes, no }) {
      const [yesNear, noNear] = [near(yes), near(no)];
      return emit(JUMP[comparison], value, [distance(yesNear), distance(noNear)]);
    },
    bytes: () => Buffer.concat(reversed.toReversed()),
  };
}
