"""Runs a command with a fault at its k-th call that changes files, counted over all of its threads and children.

    fault-injector.py --under FOLDER --report FILE [--calls CLASS,...] [--at K] [--do ACTION] [--onwards] -- COMMAND...

strace counts per thread, and Node spreads its calls over five of them. This asks the kernel to be told of each call before it is
made (seccomp user notification, seccomp_unotify(2)), so there is one count. Calls on files outside of FOLDER do not count.

ACTION: kill         SIGKILL to the command itself, not to its children
        kill-caller  SIGKILL to whichever process makes the call
        stop         SIGSTOP to the command itself
        <errno>      the call is not made, and fails with that: ENOSPC
--onwards: all further calls fail too.
--children: only calls of the command's children count, not its own.

FILE gets a JSON object: `calls` (those that were counted, in order), `hit` (the index in it, or null) and `survivors` (processes
that were still there ten seconds after the command had ended; they are killed). Exits as the command did, 128 + n for a signal.
"""

import argparse, ctypes, errno, fcntl, json, os, select, signal, socket, struct, sys, time

CLASSES = {  # x86-64, as all of the tests
    'write': {1: 'write', 18: 'pwrite64', 20: 'writev', 296: 'pwritev', 328: 'pwritev2', 326: 'copy_file_range'},
    'create': {2: 'open', 257: 'openat', 437: 'openat2', 85: 'creat', 133: 'mknod', 259: 'mknodat'},
    'rename': {82: 'rename', 264: 'renameat', 316: 'renameat2'},
    'fsync': {74: 'fsync', 75: 'fdatasync', 306: 'syncfs', 162: 'sync'},
    'link': {86: 'link', 265: 'linkat', 88: 'symlink', 266: 'symlinkat'},
    'mkdir': {83: 'mkdir', 258: 'mkdirat'},
    'unlink': {87: 'unlink', 263: 'unlinkat', 84: 'rmdir'},
    'truncate': {76: 'truncate', 77: 'ftruncate'},
    'chmod': {90: 'chmod', 91: 'fchmod', 268: 'fchmodat', 92: 'chown', 93: 'fchown', 94: 'lchown', 260: 'fchownat'},
    'setup': {272: 'unshare', 165: 'mount', 428: 'open_tree', 429: 'move_mount', 430: 'fsopen', 431: 'fsconfig',
              432: 'fsmount', 442: 'mount_setattr', 155: 'pivot_root', 161: 'chroot', 166: 'umount2', 59: 'execve'},
}
NAMES = {number: (group, name) for group, calls in CLASSES.items() for number, name in calls.items()}
BY_DESCRIPTOR = {'write', 'pwrite64', 'writev', 'pwritev', 'pwritev2', 'fsync', 'fdatasync', 'syncfs', 'ftruncate',
                 'fchmod', 'fchown'}
# Which argument is the path, and which the descriptor that a relative one starts from; for a rename, the new name.
PATHS = {'rename': (1, None), 'renameat': (3, 2), 'renameat2': (3, 2), 'link': (1, None), 'linkat': (3, 2),
         'symlink': (1, None), 'symlinkat': (2, 1), 'openat': (1, 0), 'openat2': (1, 0), 'mknodat': (1, 0),
         'mkdirat': (1, 0), 'unlinkat': (1, 0), 'fchmodat': (1, 0), 'fchownat': (1, 0)}
O_CREAT, AT_FDCWD = 0o100, -100

SYS_SECCOMP, SET_MODE_FILTER, NEW_LISTENER, WAIT_KILLABLE = 317, 1, 1 << 3, 1 << 5
NOTIFY, ALLOW, KILL, AUDIT_ARCH = 0x7FC00000, 0x7FFF0000, 0x80000000, 0xC000003E
RECEIVE, SEND, CONTINUE = 0xC0502100, 0xC0182101, 1


def main():
    options = parse()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans stay ours
    wanted = [group for group in CLASSES if options.calls is None or group in options.calls]
    child = os.fork()
    if child == 0:
        listener = install(libc, [number for group in wanted for number in CLASSES[group]])
        socket.send_fds(theirs, [b'f'], [listener])
        os.close(listener)
        os.execvp(options.command[0], options.command)
    _, [listener], _, _ = socket.recv_fds(ours, 1, 1)
    run = Run(options, child, listener)
    run.serve()
    with open(options.report, 'w') as file:
        json.dump({'calls': run.calls, 'hit': run.hit, 'survivors': run.survivors}, file)
    code = os.waitstatus_to_exitcode(run.status)
    sys.exit(code if code >= 0 else 128 - code)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument('--under', required=True)
    parser.add_argument('--report', required=True)
    parser.add_argument('--calls', type=lambda text: text.split(','))
    parser.add_argument('--at', type=int, default=0)
    parser.add_argument('--do', default='kill')
    parser.add_argument('--onwards', action='store_true')
    parser.add_argument('--children', action='store_true')
    parser.add_argument('command', nargs='+')
    return parser.parse_args()


def install(libc, numbers):
    """A filter that passes the calls on to whoever has the descriptor that this returns."""
    instructions = [(0x20, 0, 0, 4), (0x15, 1, 0, AUDIT_ARCH), (0x06, 0, 0, KILL), (0x20, 0, 0, 0)]
    for number in numbers:
        instructions += [(0x15, 0, 1, number), (0x06, 0, 0, NOTIFY)]
    instructions += [(0x06, 0, 0, ALLOW)]
    code = b''.join(struct.pack('HBBI', *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    program = struct.pack('HxxxxxxQ', len(instructions), ctypes.addressof(buffer))
    listener = libc.syscall(SYS_SECCOMP, SET_MODE_FILTER, NEW_LISTENER | WAIT_KILLABLE, program)
    if listener < 0:
        raise OSError(ctypes.get_errno(), 'seccomp: ' + os.strerror(ctypes.get_errno()))
    return listener


class Run:
    def __init__(self, options, child, listener):
        self.options, self.child, self.listener = options, child, listener
        self.calls, self.hit, self.survivors, self.status, self.deadline = [], None, [], None, None
        self.under = os.path.realpath(options.under)

    def serve(self):
        """Until no process is left that has the filter."""
        poller = select.poll()
        poller.register(self.listener, select.POLLIN)
        while True:
            ready = poller.poll(20)
            self.reap()
            if ready and ready[0][1] & select.POLLIN:
                self.answer()
            elif ready and ready[0][1] & (select.POLLHUP | select.POLLERR) and self.status is not None:
                return
            if self.deadline is not None and time.monotonic() > self.deadline:
                return self.end_survivors()

    def reap(self):
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child:
                self.status, self.deadline = status, time.monotonic() + 10

    def end_survivors(self):
        for name in os.listdir('/proc'):
            if name.isdigit() and self.is_ours(int(name)):
                self.survivors.append(f'{name} {read(f"/proc/{name}/cmdline")}')
                os.kill(int(name), signal.SIGKILL)

    def is_ours(self, pid):
        while pid > 1:
            if pid == os.getpid():
                return True
            fields = read(f'/proc/{pid}/stat').rpartition(')')[2].split()
            pid = int(fields[1]) if len(fields) > 1 else 0
        return False

    def answer(self):
        buffer = bytearray(80)
        try:
            fcntl.ioctl(self.listener, RECEIVE, buffer)
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.EINTR):
                return  # it was killed meanwhile
            raise
        identity, pid, _, number, _, _, *arguments = struct.unpack('QIIiIQ6Q', buffer)
        failure = self.judge(pid, number, arguments)
        reply = struct.pack('QqiI', identity, 0, -failure if failure else 0, 0 if failure else CONTINUE)
        try:
            fcntl.ioctl(self.listener, SEND, reply)
        except OSError as error:
            if error.errno != errno.ENOENT:
                raise

    def judge(self, pid, number, arguments):
        """The errno with which the call fails, or 0."""
        group, name = NAMES[number]
        path = self.subject(pid, group, name, arguments)
        if path is None:
            return 0
        by_child = not os.path.exists(f'/proc/{self.child}/task/{pid}')
        if self.options.children and not by_child:
            return 0
        self.calls.append({'kind': group, 'call': name, 'path': path, 'byChild': by_child})
        count = len(self.calls)
        if self.options.at == 0 or count < self.options.at or (count > self.options.at and not self.options.onwards):
            return 0
        if self.hit is None:
            self.hit = count - 1
        return self.act(pid)

    def act(self, pid):
        action = self.options.do
        if action == 'kill':
            os.kill(self.child, signal.SIGKILL)
        elif action == 'kill-caller':
            os.kill(pid, signal.SIGKILL)
        elif action == 'stop':
            os.kill(self.child, signal.SIGSTOP)
        else:
            return getattr(errno, action)
        return 0

    def subject(self, pid, group, name, arguments):
        """The path that a call is about; None if it is none that counts."""
        if group == 'setup':
            return self.text(pid, arguments[0]) if name == 'execve' else ''
        if name in BY_DESCRIPTOR or name == 'copy_file_range':
            path = link(f'/proc/{pid}/fd/{signed(arguments[2 if name == "copy_file_range" else 0])}')
        elif name == 'sync':
            path = self.under
        else:
            flags = {'open': arguments[1], 'openat': arguments[2]}.get(name)
            if name == 'openat2':
                flags = struct.unpack('Q', self.memory(pid, arguments[2], 8).ljust(8, b'\0'))[0]
            if flags is not None and not flags & O_CREAT:
                return None
            path = self.path(pid, name, arguments)
        return path if path == self.under or path.startswith(self.under + '/') else None

    def path(self, pid, name, arguments):
        at, start = PATHS.get(name, (0, None))
        path = self.text(pid, arguments[at])
        root = link(f'/proc/{pid}/root')
        if not path.startswith('/'):
            fd = AT_FDCWD if start is None else signed(arguments[start])
            path = os.path.join(link(f'/proc/{pid}/cwd' if fd == AT_FDCWD else f'/proc/{pid}/fd/{fd}'), path)
        elif root != '/':
            path = root + path
        if path.startswith('/proc/self/fd/'):
            number, _, rest = path[len('/proc/self/fd/'):].partition('/')
            path = os.path.join(link(f'/proc/{pid}/fd/{number}'), rest)
        return os.path.normpath(path)

    def text(self, pid, address):
        """The string at an address: page by page, as the one behind its last may not be there."""
        found = b''
        while b'\0' not in found and len(found) < 4096:
            piece = self.memory(pid, address + len(found), 4096 - (address + len(found)) % 4096)
            if piece == b'':
                break
            found += piece
        return found.split(b'\0')[0].decode('utf8', 'surrogateescape')

    def memory(self, pid, address, size):
        try:
            with open(f'/proc/{pid}/mem', 'rb', buffering=0) as file:
                file.seek(address)
                return file.read(size)
        except OSError:
            return b''


def signed(number):
    return struct.unpack('i', struct.pack('I', number & 0xFFFFFFFF))[0]


def link(path):
    try:
        return os.readlink(path)
    except OSError:
        return ''


def read(path):
    try:
        with open(path, 'rb') as file:
            return file.read().replace(b'\0', b' ').decode('utf8', 'replace').strip()
    except OSError:
        return ''


main()
