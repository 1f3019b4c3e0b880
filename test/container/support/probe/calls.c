/* System calls by number, sockets, and what takes capabilities. */
#include "probe.h"
#include <arpa/inet.h>
#include <sched.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/wait.h>

int call(char **words) {
  unsigned long numbers[7] = {0};
  for (int at = 0; at < 7 && words[at] != NULL; at++) numbers[at] = strtoul(words[at], NULL, 0);
  return answer(syscall(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]));
}

/* All arguments are -1: no address, no descriptor, no valid set of flags. */
int calls(char **words) {
  for (; *words != NULL; words++) {
    pid_t child = fork();
    if (child == 0) _exit(syscall(atol(*words), -1L, -1L, -1L, -1L, -1L, -1L) < 0 ? errno : 0);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) < 0) return 1;
    errno = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) printf("%s: signal %d\n", *words, WTERMSIG(status));
    else say(*words, errno == 0 ? 0 : -1);
  }
  return 0;
}

int sockets(char **words) {
  for (; *words != NULL; words++) {
    int family = 0, type = 0, protocol = 0;
    if (sscanf(*words, "%d:%d:%d", &family, &type, &protocol) != 3) return 2;
    say(*words, socket(family, type, protocol));
  }
  return 0;
}

int connect_to(char **words) {
  if (words[0] == NULL) return 2;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, words[0], sizeof address.sun_path - 2);
  socklen_t lengths[] = {offsetof(struct sockaddr_un, sun_path) + 1 + strlen(words[0]), sizeof address};
  long result = -1;
  for (int at = 0; at < 2 && result < 0; at++) { /* some pad the name of a socket with NULs when they make it */
    int number = socket(AF_UNIX, SOCK_STREAM, 0);
    result = number < 0 ? -1 : connect(number, (struct sockaddr *)&address, lengths[at]);
  }
  return answer(result);
}

int connect_tcp(char **words) {
  for (; *words != NULL; words++) {
    char host[64];
    unsigned port = 0;
    struct sockaddr_in address = {.sin_family = AF_INET};
    if (sscanf(*words, "%63[^:]:%u", host, &port) != 2 || inet_pton(AF_INET, host, &address.sin_addr) != 1) return 2;
    address.sin_port = htons(port);
    int number = socket(AF_INET, SOCK_STREAM, 0);
    say(*words, number < 0 ? -1 : connect(number, (struct sockaddr *)&address, sizeof address));
  }
  return 0;
}

/* Where it is allowed it changes nothing: every value is the one that is there, or one that the kernel does not take. */
int deny(char **words) {
  (void)words;
  char name[65] = "";
  struct timeval now;
  struct timex tune = {.modes = ADJ_TICK, .tick = -1};
  gettimeofday(&now, NULL);
  gethostname(name, sizeof name);
  say("sethostname", sethostname(name, strlen(name)));
  say("setdomainname", setdomainname("(none)", 6));
  say("settimeofday", settimeofday(&now, NULL));
  say("adjtimex", adjtimex(&tune));
  say("sched_setscheduler", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1}));
  say("nice", setpriority(PRIO_PROCESS, 0, -20));
  struct rlimit limit;
  getrlimit(RLIMIT_MEMLOCK, &limit);
  say("raise memlock", limit.rlim_max == RLIM_INFINITY
                           ? -1
                           : setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}));
  size_t huge = 1UL << 30;
  void *memory = mmap(NULL, huge, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  say("mlock", memory == MAP_FAILED ? -1 : mlock(memory, huge));
  return 0;
}
