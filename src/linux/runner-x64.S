# The runner: executes a program, which is a table of system calls that Node wrote (encode-program.ts), and nothing else.
#
# It is the whole executable, ELF header included, so that no linker takes part:
#   as -o runner.o runner-x64.S && objcopy -O binary -j .text runner.o runner
# The bytes stand in runner-x64.ts; a test assembles this file and compares. docs/decisions/0001-runner.md says why it exists.
#
# Started as `mydocker-runner C`, where C is one character: '0' + the number of the descriptor that is the connection to Node.
# Node sends the program; the runner sends records of 16 bytes, { int64 step, int64 value }: for a fork the process id of the
# child, for a step that failed the negated error number, or its result if that is too small. The connection closes at execve.
#
# Registers all the way through: rbx the current row, r13 the connection, r12 the child and rbp the Fork (in a waiter only).

.intel_syntax noprefix
.text

# Where things are. encode-program.ts has the same numbers.
.set ORIGIN,        0x400000        # address of this file's first byte
.set PROGRAM,       0x2000000000    # address of the program: far above this file and whatever heap the kernel reserves after it
.set FIRST_ROW,     0x08            # program: length in bytes, then the rows
.set ROW_NR,        0x00            # row: number of the system call
.set ROW_AT_LEAST,  0x08            #   smallest result that counts as success
.set ROW_IGNORE,    0x10            #   192 bits: the error numbers after which the next row follows
.set ROW_STEP,      0x28            #   what to call this row in a record
.set ROW_RESULTS,   0x30            #   address of a list of addresses that get the result; 0 ends the list
.set ROW_NEXT,      0x38            #   distance in bytes from this row to the one that follows success
.set ROW_FORK,      0x40            #   address of a Fork, or 0
.set ROW_ARGS,      0x48            #   the six arguments
.set ROW_SIZE,      0x78
.set FORK_FORWARD,  0x00            # Fork: signals that are passed on, bit n - 1 for signal n
.set FORK_TARGET,   0x08            #   1: to the child; -1: to its process group
.set FORK_DEATH,    0x10            #   the signal that says that the parent of the waiter is gone
.set FORK_HELD,     0x18            #   first descriptor that the waiter keeps
.set FORK_HELD_END, 0x20            #   first one after those that it keeps

.set SYS_read, 0
.set SYS_write, 1
.set SYS_mmap, 9
.set SYS_wait4, 61
.set SYS_kill, 62
.set SYS_rt_sigtimedwait, 128
.set SYS_exit_group, 231
.set SYS_close_range, 436
.set SIGKILL, 9
.set SIGCHLD, 17

# --- ELF header: 64 bit, little endian, executable at a fixed address (elf(5)) ---
file:
    .byte 0x7f, 'E', 'L', 'F', 2, 1, 1, 0       # magic, ELFCLASS64, ELFDATA2LSB, EV_CURRENT, ELFOSABI_NONE
    .quad 0                                     # padding
    .word 2, 62                                 # e_type ET_EXEC, e_machine EM_X86_64
    .long 1                                     # e_version
    .quad ORIGIN + start - file                 # e_entry
    .quad segments - file                       # e_phoff
    .quad 0                                     # e_shoff: no sections
    .long 0                                     # e_flags
    .word 64, 56, 2                             # e_ehsize, e_phentsize, e_phnum
    .word 0, 0, 0                               # e_shentsize, e_shnum, e_shstrndx
segments:
    .long 1, 5                                  # PT_LOAD, readable and executable, never writable
    .quad 0, ORIGIN, ORIGIN                     # the file from its first byte on
    .quad end - file, end - file                # size in the file and in memory
    .quad 0x1000                                # alignment
    .long 0x6474e551, 6                         # PT_GNU_STACK, readable and writable, not executable
    .quad 0, 0, 0, 0, 0, 16

# --- Receive the program ---
start:
    cmp     qword ptr [rsp], 2                  # argc: somebody who tries it out by hand gets exit status 1
    jne     quit
    mov     rax, [rsp + 16]                     # argv[1]
    movzx   r13d, byte ptr [rax]                # its one character
    sub     r13d, '0'                           # is the number of the connection

    xor     eax, eax                            # SYS_read
    mov     edi, r13d                           # from the connection
    mov     rsi, rsp                            # argc is not needed any more
    mov     edx, 8                              # the length of the program, these 8 bytes included
    syscall
    cmp     rax, 8                              # Node sends it in one piece
    jne     broken

    mov     eax, SYS_mmap
    movabs  rdi, PROGRAM                        # exactly there: Node wrote absolute addresses
    mov     rsi, [rsp]                          # that long
    mov     edx, 3                              # PROT_READ | PROT_WRITE, not executable
    mov     r10d, 0x100022                      # MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE
    mov     r8, -1                              # no file
    xor     r9d, r9d                            # no offset
    syscall
    cmp     rax, rdi                            # an error, or a kernel before 4.17 that chose another place
    jne     broken

    lea     rbx, [rdi + FIRST_ROW]              # the first row
    mov     rsi, rbx                            # where the next bytes go
    mov     r14, [rsp]
    sub     r14, FIRST_ROW                      # how many are missing
receive:
    xor     eax, eax                            # SYS_read
    mov     edi, r13d
    mov     rdx, r14
    syscall
    test    rax, rax
    jle     broken                              # Node is gone
    add     rsi, rax
    sub     r14, rax
    jnz     receive

# --- Execute it, row by row ---
row:
    mov     rax, [rbx + ROW_NR]
    mov     rdi, [rbx + ROW_ARGS]
    mov     rsi, [rbx + ROW_ARGS + 8]
    mov     rdx, [rbx + ROW_ARGS + 16]
    mov     r10, [rbx + ROW_ARGS + 24]
    mov     r8,  [rbx + ROW_ARGS + 32]
    mov     r9,  [rbx + ROW_ARGS + 40]
    syscall
    cmp     rax, [rbx + ROW_AT_LEAST]
    jl      failed

    mov     rbp, [rbx + ROW_FORK]
    test    rbp, rbp
    jz      store                               # not a fork
    test    rax, rax
    jnz     waiter                              # a fork, and this is the parent half

store:
    mov     rsi, [rbx + ROW_RESULTS]
store_next:
    mov     rdi, [rsi]
    test    rdi, rdi
    jz      stored                              # the end of the list
    mov     [rdi], rax                          # becomes an argument of a later row
    add     rsi, 8
    jmp     store_next
stored:
    add     rbx, [rbx + ROW_NEXT]
    jmp     row

failed:
    mov     rcx, rax
    neg     rcx                                 # the error number; 0 or less if there is a result, but too small a one
    cmp     rcx, 192                            # unsigned: a negative one is large
    jae     fatal
    bt      [rbx + ROW_IGNORE], rcx             # with a register this reaches all 192 bits
    jnc     fatal
    add     rbx, ROW_SIZE
    jmp     row

broken:
    mov     r14, -2                             # "the program did not arrive"
    call    report_as
    jmp     quit
fatal:
    call    report
quit:
    mov     edi, 1
    jmp     exit

# Sends { step of the current row, rax } to Node; leaves in rax what write returned.
report:
    mov     r14, [rbx + ROW_STEP]
# The same with the step that is in r14.
report_as:
    push    rax
    push    r14
    mov     eax, SYS_write
    mov     edi, r13d
    mov     rsi, rsp
    mov     edx, 16
    syscall
    add     rsp, 16
    ret

# --- The parent half of a fork: wait for the child. All signals have been blocked since before the fork ---
waiter:
    mov     r12, rax                            # the child
    call    report                              # Node learns the process id
    cmp     rax, 16
    je      release
    call    kill_child                          # nobody is there to hear it: Node ended before it could be watched

release:
    mov     eax, SYS_close_range                # what it does not hold on purpose would keep pipes and mounts in use
    xor     edi, edi
    mov     rsi, [rbp + FORK_HELD]
    dec     rsi
    xor     edx, edx
    syscall
    mov     eax, SYS_close_range                # the connection among them
    mov     rdi, [rbp + FORK_HELD_END]
    mov     esi, -1                             # the highest there is
    xor     edx, edx
    syscall

    sub     rsp, 160                            # rsp: signal set; rsp + 8: wait status; rsp + 16: siginfo_t of 128 bytes
    mov     qword ptr [rsp], -1                 # all signals
wait:
    mov     eax, SYS_rt_sigtimedwait
    mov     rdi, rsp                            # the set
    lea     rsi, [rsp + 16]                     # siginfo_t
    xor     edx, edx                            # without end
    mov     r10d, 8                             # size of the set
    syscall
    test    rax, rax
    jle     wait                                # EINTR, when it was stopped and continued
    cmp     rax, SIGCHLD
    je      reap
    cmp     rax, [rbp + FORK_DEATH]
    je      parent_died
    cmp     dword ptr [rsp + 24], 0             # si_code: above 0 the kernel sent it, and to the child's group as well
    jg      wait
    lea     ecx, [rax - 1]
    bt      [rbp + FORK_FORWARD], rcx
    jnc     wait
    mov     rsi, rax                            # the signal
    mov     rdi, r12
    imul    rdi, [rbp + FORK_TARGET]            # the child, or minus the child for its group
    mov     eax, SYS_kill
    syscall                                     # ESRCH when the child has just ended: SIGCHLD follows
    jmp     wait

parent_died:
    call    kill_child                          # the first process of a pid namespace takes all others with it
    jmp     wait

kill_child:
    mov     eax, SYS_kill
    mov     rdi, r12
    mov     esi, SIGKILL
    syscall
    ret

reap:                                           # one SIGCHLD may stand for several children
    mov     eax, SYS_wait4
    mov     rdi, -1                             # any child: the first process of a pid namespace inherits orphans
    lea     rsi, [rsp + 8]                      # status
    mov     edx, 1                              # WNOHANG
    xor     r10d, r10d                          # no resource usage
    syscall
    test    rax, rax
    jz      wait                                # the others are still running
    js      quit                                # ECHILD: somebody made the kernel reap the child; never wait for ever
    cmp     rax, r12
    jne     reap                                # an orphan
    mov     edi, [rsp + 8]
    mov     eax, edi
    and     eax, 0x7f                           # the signal that ended it
    jnz     by_signal
    shr     edi, 8                              # its own exit status
    and     edi, 0xff
    jmp     exit
by_signal:
    lea     edi, [rax + 128]                    # as a shell reports it

exit:
    mov     eax, SYS_exit_group
    syscall
end:
