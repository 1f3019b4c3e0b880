/* Makes one system call: probe NUMBER [ARGUMENT...]. Prints what it returned and the name of the error. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv) {
  unsigned long words[7] = {0};
  for (int at = 1; at < argc && at <= 7; at++) words[at - 1] = strtoul(argv[at], NULL, 0);
  long result = syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]);
  if (result < 0) puts(strerrorname_np(errno));
  else puts("ok");
  return 0;
}
