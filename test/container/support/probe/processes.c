/* Processes, terminals, limits. */
#include "probe.h"
#include <dirent.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <termios.h>

int namespaces(char **words) {
  (void)words;
  const char *names[] = {"mnt", "pid", "uts", "ipc", "cgroup", "net", "user", "time"};
  for (size_t at = 0; at < sizeof names / sizeof *names; at++) {
    char path[64], link[64] = "";
    snprintf(path, sizeof path, "/proc/self/ns/%s", names[at]);
    if (readlink(path, link, sizeof link - 1) > 0) printf("%s: %s\n", names[at], link);
  }
  return 0;
}

void each_process(void (*visit)(const char *pid)) {
  DIR *folder = opendir("/proc");
  if (folder == NULL) return;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (entry->d_name[0] >= '0' && entry->d_name[0] <= '9') visit(entry->d_name);
  closedir(folder);
}

int trace(char **words) {
  for (; *words != NULL; words++) say(*words, ptrace(PTRACE_SEIZE, atoi(*words), NULL, NULL));
  return 0;
}

int kill_all(char **words) {
  (void)words;
  say("kill", kill(-1, SIGKILL));
  puts("alive");
  return 0;
}

int type_ahead(char **words) {
  (void)words;
  const char *paths[] = {"/dev/stdin", "/dev/tty", "/dev/console", "/dev/tty0", "/dev/tty1", "/dev/pts/0", "/dev/pts/1"};
  for (size_t at = 0; at < sizeof paths / sizeof *paths; at++) {
    int file = open(paths[at], O_RDWR | O_NOCTTY | O_NONBLOCK);
    char letter = 'x', paste[] = {3};
    printf("%s: %s", paths[at], file < 0 || ioctl(file, TIOCSTI, &letter) < 0 ? strerrorname_np(errno) : "ok");
    printf(" %s\n", file < 0 || ioctl(file, TIOCLINUX, paste) < 0 ? strerrorname_np(errno) : "ok");
  }
  return 0;
}

int identity(char **words) {
  (void)words;
  struct statvfs root;
  if (statvfs("/", &root) < 0) return 1;
  printf("uid: %u\neuid: %u\n", getuid(), geteuid());
  printf("nosuid: %s\nnodev: %s\n", root.f_flag & ST_NOSUID ? "yes" : "no", root.f_flag & ST_NODEV ? "yes" : "no");
  printf("no new privileges: %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
  return 0;
}

/* Twice away from its parent, in a session of its own, deaf to signals and with nothing open. */
static void leave(void) {
  pid_t child = fork();
  if (child != 0) {
    waitpid(child, NULL, 0); /* then the grandchild is there */
    return;
  }
  setsid();
  if (fork() != 0) _exit(0);
  for (int number = 1; number < 32; number++) signal(number, SIG_IGN);
  prctl(PR_SET_PDEATHSIG, 0);
  for (int number = 0; number < 16; number++) close(number);
  for (;;) pause();
}

int daemonise(char **words) {
  (void)words;
  for (int at = 0; at < 3; at++) leave();
  puts("ready");
  for (;;) pause();
}

int fork_bomb(char **words) {
  if (words[0] == NULL) return 2;
  int wanted = atoi(words[0]), count = 0;
  while (count < wanted) {
    pid_t child = fork();
    if (child < 0) break;
    if (child == 0)
      for (;;) pause();
    count++;
  }
  printf("forks: %d\n", count);
  kill(-1, SIGKILL);
  return 0;
}

int use_memory(char **words) {
  if (words[0] == NULL) return 2;
  size_t size = strtoul(words[0], NULL, 0) << 20;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  for (size_t at = 0; memory != MAP_FAILED && at < size; at += 4096) memory[at] = 1;
  say("memory", memory == MAP_FAILED ? -1 : 0);
  return 0;
}

int open_many(char **words) {
  if (words[0] == NULL) return 2;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int wanted = atoi(words[0]), count = 0;
  while (count < wanted && dup(0) >= 0) count++;
  printf("opened: %d\n", count);
  return 0;
}
