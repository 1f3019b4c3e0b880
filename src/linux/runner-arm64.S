# The runner for arm64: line by line what runner-x64.S does, whose head says what that is.
#   aarch64-linux-gnu-as -o runner.o runner-arm64.S && aarch64-linux-gnu-objcopy -O binary -j .text runner.o runner
# The bytes stand in runner-arm64.ts; a test assembles this file and compares.
#
# A system call takes its number in x8 and its arguments in x0 to x5, answers in x0, and changes nothing else.
# Registers all the way through: x19 the current row, x20 the connection, x21 the child and x22 the Fork (in a waiter only).
# sp is always a multiple of 16: the processor insists on it.

.text

# Where things are. encode-program.ts has the same numbers.
.set ORIGIN,        0x400000        // address of this file's first byte
.set PROGRAM,       0x2000000000    // address of the program: within the 39 bits that the smallest kernels give
.set FIRST_ROW,     0x08            // program: length in bytes, then the rows
.set ROW_NR,        0x00            // row: number of the system call
.set ROW_AT_LEAST,  0x08            //   smallest result that counts as success
.set ROW_IGNORE,    0x10            //   192 bits: the error numbers after which the next row follows
.set ROW_STEP,      0x28            //   what to call this row in a record
.set ROW_RESULTS,   0x30            //   address of a list of addresses that get the result; 0 ends the list
.set ROW_NEXT,      0x38            //   distance in bytes from this row to the one that follows success
.set ROW_FORK,      0x40            //   address of a Fork, or 0
.set ROW_ARGS,      0x48            //   the six arguments
.set ROW_SIZE,      0x78
.set FORK_FORWARD,  0x00            // Fork: signals that are passed on, bit n - 1 for signal n
.set FORK_TARGET,   0x08            //   1: to the child; -1: to its process group
.set FORK_DEATH,    0x10            //   the signal that says that the parent of the waiter is gone
.set FORK_HELD,     0x18            //   first descriptor that the waiter keeps
.set FORK_HELD_END, 0x20            //   first one after those that it keeps

.set SYS_read, 63
.set SYS_write, 64
.set SYS_exit_group, 94
.set SYS_kill, 129
.set SYS_rt_sigtimedwait, 137
.set SYS_mmap, 222
.set SYS_wait4, 260
.set SYS_close_range, 436
.set SIGKILL, 9
.set SIGCHLD, 17

// --- ELF header: 64 bit, little endian, executable at a fixed address (elf(5)) ---
file:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0       // magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_NONE
    .quad 0                                     // padding
    .hword 2, 183                               // e_type ET_EXEC, e_machine EM_AARCH64
    .long 1                                     // e_version
    .quad ORIGIN + start - file                 // e_entry
    .quad segments - file                       // e_phoff
    .quad 0                                     // e_shoff: no sections
    .long 0                                     // e_flags
    .hword 64, 56, 2                            // e_ehsize, e_phentsize, e_phnum
    .hword 0, 0, 0                              // e_shentsize, e_shnum, e_shstrndx
segments:
    .long 1, 5                                  // PT_LOAD, readable and executable, never writable
    .quad 0, ORIGIN, ORIGIN                     // the file from its first byte on
    .quad end - file, end - file                // size in the file and in memory
    .quad 0x10000                               // alignment: the largest pages that a kernel for arm64 has
    .long 0x6474e551, 6                         // PT_GNU_STACK, readable and writable, not executable
    .quad 0, 0, 0, 0, 0, 16

// --- Receive the program ---
start:
    ldr     x0, [sp]                            // argc
    cmp     x0, #2                              // somebody who tries it out by hand gets exit status 1
    b.ne    quit
    ldr     x0, [sp, #16]                       // argv[1]
    ldrb    w20, [x0]                           // its one character
    sub     w20, w20, #'0'                      // is the number of the connection

    mov     x8, #SYS_read
    mov     x0, x20                             // from the connection
    mov     x1, sp                              // argc is not needed any more
    mov     x2, #8                              // the length of the program, these 8 bytes included
    svc     #0
    cmp     x0, #8                              // Node sends it in one piece
    b.ne    broken

    mov     x8, #SYS_mmap
    mov     x19, #PROGRAM
    mov     x0, x19                             // exactly there: Node wrote absolute addresses
    ldr     x1, [sp]                            // that long
    mov     x2, #3                              // PROT_READ | PROT_WRITE, not executable
    mov     x3, #0x22                           // MAP_PRIVATE | MAP_ANONYMOUS
    movk    x3, #0x10, lsl #16                  //   | MAP_FIXED_NOREPLACE
    mov     x4, #-1                             // no file
    mov     x5, #0                              // no offset
    svc     #0
    cmp     x0, x19                             // an error, or a kernel before 4.17 that chose another place
    b.ne    broken

    ldr     x23, [sp]
    sub     x23, x23, #FIRST_ROW                // how many bytes are missing
    add     x19, x19, #FIRST_ROW                // the first row
    mov     x1, x19                             // where the next bytes go
receive:
    mov     x8, #SYS_read
    mov     x0, x20
    mov     x2, x23
    svc     #0
    cmp     x0, #0
    b.le    broken                              // Node is gone
    add     x1, x1, x0
    subs    x23, x23, x0
    b.ne    receive

// --- Execute it, row by row ---
row:
    ldr     x8, [x19, #ROW_NR]
    ldp     x0, x1, [x19, #ROW_ARGS]
    ldp     x2, x3, [x19, #ROW_ARGS + 16]
    ldp     x4, x5, [x19, #ROW_ARGS + 32]
    svc     #0
    ldr     x1, [x19, #ROW_AT_LEAST]
    cmp     x0, x1
    b.lt    failed

    ldr     x22, [x19, #ROW_FORK]
    cbz     x22, store                          // not a fork
    cbnz    x0, waiter                          // a fork, and this is the parent half

store:
    ldr     x1, [x19, #ROW_RESULTS]
store_next:
    ldr     x2, [x1], #8
    cbz     x2, stored                          // the end of the list
    str     x0, [x2]                            // becomes an argument of a later row
    b       store_next
stored:
    ldr     x1, [x19, #ROW_NEXT]
    add     x19, x19, x1
    b       row

failed:
    neg     x1, x0                              // the error number; 0 or less if there is a result, but too small a one
    cmp     x1, #192                            // unsigned: a negative one is large
    b.hs    fatal
    lsr     x2, x1, #6                          // which of the three words
    add     x3, x19, #ROW_IGNORE
    ldr     x3, [x3, x2, lsl #3]
    lsr     x3, x3, x1                          // which of its bits: by the number modulo 64
    tbz     x3, #0, fatal
    add     x19, x19, #ROW_SIZE
    b       row

broken:
    mov     x23, #-2                            // "the program did not arrive"
    bl      report_as
    b       quit
fatal:
    bl      report
quit:
    mov     x0, #1
    b       exit

// Sends { step of the current row, x0 } to Node; leaves in x0 what write returned.
report:
    ldr     x23, [x19, #ROW_STEP]
// The same with the step that is in x23.
report_as:
    stp     x23, x0, [sp, #-16]!
    mov     x8, #SYS_write
    mov     x0, x20
    mov     x1, sp
    mov     x2, #16
    svc     #0
    add     sp, sp, #16
    ret

// --- The parent half of a fork: wait for the child. All signals have been blocked since before the fork ---
waiter:
    mov     x21, x0                             // the child
    bl      report                              // Node learns the process id
    cmp     x0, #16
    b.eq    release
    bl      kill_child                          // nobody is there to hear it: Node ended before it could be watched

release:
    mov     x8, #SYS_close_range                // what it does not hold on purpose would keep pipes and mounts in use
    mov     x0, #0
    ldr     x1, [x22, #FORK_HELD]
    sub     x1, x1, #1
    mov     x2, #0
    svc     #0
    mov     x8, #SYS_close_range                // the connection among them
    ldr     x0, [x22, #FORK_HELD_END]
    mov     w1, #-1                             // the highest there is
    mov     x2, #0
    svc     #0

    sub     sp, sp, #160                        // sp: signal set; sp + 8: wait status; sp + 16: siginfo_t of 128 bytes
    mov     x0, #-1
    str     x0, [sp]                            // all signals
wait:
    mov     x8, #SYS_rt_sigtimedwait
    mov     x0, sp                              // the set
    add     x1, sp, #16                         // siginfo_t
    mov     x2, #0                              // without end
    mov     x3, #8                              // size of the set
    svc     #0
    cmp     x0, #0
    b.le    wait                                // EINTR, when it was stopped and continued
    cmp     x0, #SIGCHLD
    b.eq    reap
    ldr     x1, [x22, #FORK_DEATH]
    cmp     x0, x1
    b.eq    parent_died
    ldr     w1, [sp, #24]                       // si_code
    cmp     w1, #0                              // above 0 the kernel sent it, and to the child's group as well
    b.gt    wait
    sub     x1, x0, #1
    ldr     x2, [x22, #FORK_FORWARD]
    lsr     x2, x2, x1
    tbz     x2, #0, wait
    mov     x1, x0                              // the signal
    ldr     x0, [x22, #FORK_TARGET]
    mul     x0, x0, x21                         // the child, or minus the child for its group
    mov     x8, #SYS_kill
    svc     #0                                  // ESRCH when the child has just ended: SIGCHLD follows
    b       wait

parent_died:
    bl      kill_child                          // the first process of a pid namespace takes all others with it
    b       wait

kill_child:
    mov     x8, #SYS_kill
    mov     x0, x21
    mov     x1, #SIGKILL
    svc     #0
    ret

reap:                                           // one SIGCHLD may stand for several children
    mov     x8, #SYS_wait4
    mov     x0, #-1                             // any child: the first process of a pid namespace inherits orphans
    add     x1, sp, #8                          // status
    mov     x2, #1                              // WNOHANG
    mov     x3, #0                              // no resource usage
    svc     #0
    cmp     x0, #0
    b.eq    wait                                // the others are still running
    b.lt    quit                                // ECHILD: somebody made the kernel reap the child; never wait for ever
    cmp     x0, x21
    b.ne    reap                                // an orphan
    ldr     w0, [sp, #8]
    ands    w1, w0, #0x7f                       // the signal that ended it
    b.ne    by_signal
    ubfx    w0, w0, #8, #8                      // its own exit status
    b       exit
by_signal:
    add     w0, w1, #128                        // as a shell reports it

exit:
    mov     x8, #SYS_exit_group
    svc     #0
end:
