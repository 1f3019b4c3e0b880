/* What a hostile process tries. Each command tries something on each of its words, and prints a line "WORD: ok", or with the name of the
 * error instead; the others say below what they print. See the functions for what they do. */
#include "probe.h"

static const struct {
  const char *name;
  command run;
} COMMANDS[] = {
    {"call", call},                 /* NUMBER [ARGUMENT...]: one system call; "ok <result>" or the error */
    {"calls", calls},               /* NUMBER...: each with bad arguments, in a process of its own */
    {"sockets", sockets},           /* FAMILY:TYPE:PROTOCOL... */
    {"connect", connect_to},        /* NAME: an abstract Unix socket; "ok 0" or the error */
    {"tcp", connect_tcp},           /* ADDRESS:PORT... */
    {"send", send_udp},             /* ADDRESS PORT [DEVICE]: "probe" by UDP, on a socket that is bound to the device */
    {"frame", send_frame},          /* ADDRESS PORT: the same as a frame of the link eth0, past its routes and queues */
    {"echo", echo_udp},             /* PORT: "ready", and answers one UDP message with the same */
    {"deny", deny},                 /* what needs capabilities that no container has, or should be limited */
    {"show", show},                 /* PATH...: what is in the files, as it is */
    {"write", open_write},          /* PATH...: opens for writing, and writes nothing */
    {"make", make_folder},          /* PATH... */
    {"read", open_read},            /* PATH...: "PATH: <bytes of a file that come, or entries of a folder>" */
    {"writable", writable},         /* FOLDER...: the files below that open for writing, then "tried: <number>" */
    {"find-sockets", find_sockets}, /* FOLDER: paths of sockets, then "tried: <number of entries>" */
    {"device", make_device},        /* MAJOR:MINOR PATH...: makes a block device and reads it */
    {"handle", by_handle},          /* PATH...: opens the root of the file system that PATH is on, by its inode (Shocker) */
    {"overwrite", overwrite},       /* "/proc/<pid>/exe: <program>" of those that open for writing, or will, and "done" */
    {"swap", swap},                 /* A B: prints "ready", and exchanges two names for ever */
    {"descriptors", descriptors},   /* "N: <what it is>" for those of this process, and what N/../../.. leads to */
    {"escape", escape},             /* the classic way out of a chroot; "ok" and the names that it finds at its end */
    {"mount", mount_new},           /* TYPE:TARGET[:OPTIONS]... */
    {"umount", unmount},            /* PATH... */
    {"remount", remount},           /* PATH...: writable */
    {"cover", cover},               /* PATH...: binds the root folder over it */
    {"release-agent", release_agent}, /* CONTROLLER...: mounts its hierarchy and sets what the kernel runs as root */
    {"nested", nested},             /* COMMAND...: in new namespaces of every kind, with a user namespace */
    {"namespaces", namespaces},     /* "mnt: mnt:[4026531840]" and so on */
    {"trace", trace},               /* PID...: ptrace */
    {"kill-all", kill_all},         /* SIGKILL to all that it may; "alive" */
    {"type", type_ahead},           /* TIOCSTI and TIOCLINUX on all that may be a terminal */
    {"identity", identity},         /* real and effective ids, and flags of the root mount */
    {"daemon", daemonise},          /* WORD: grandchildren that nothing is to reach, "ready" and waits */
    {"fork", fork_bomb},            /* NUMBER: "forks: <number that were possible>" */
    {"memory", use_memory},         /* MEGABYTES: "memory: ok" after all were written to */
    {"open", open_many},            /* NUMBER: "opened: <number that were possible>" */
    {"keyrings", keyrings},         /* "session: <id>" and so on, of the keyrings of this process */
    {"add-key", add_key_to},        /* NAME KEYRING: -4 is that of the user */
    {"find-key", find_key_in},      /* NAME KEYRING... */
};

int main(int argc, char **argv) {
  (void)argc;
  setvbuf(stdout, NULL, _IOLBF, 0);
  return run_command(argv + 1);
}

/* Leaves what it may do in /marker: somebody has called the program for another one. */
static int mark(void) {
  char line[256];
  FILE *status = fopen("/proc/self/status", "r"), *marker = fopen("/marker", "a");
  if (status == NULL || marker == NULL) return 2;
  while (fgets(line, sizeof line, status) != NULL)
    if (strncmp(line, "CapEff:", 7) == 0) fputs(line, marker);
  fclose(marker);
  return 2;
}

int run_command(char **words) {
  for (size_t at = 0; words[0] != NULL && at < sizeof COMMANDS / sizeof *COMMANDS; at++)
    if (strcmp(words[0], COMMANDS[at].name) == 0) return COMMANDS[at].run(words + 1);
  return mark();
}

int answer(long result) {
  if (result < 0) puts(strerrorname_np(errno));
  else printf("ok %ld\n", result);
  return 0;
}

void say(const char *subject, long result) {
  printf("%s: %s\n", subject, result < 0 ? strerrorname_np(errno) : "ok");
}
