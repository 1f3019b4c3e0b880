/* Mounts, and what a user namespace would give. */
#include "probe.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

int mount_new(char **words) {
  for (; *words != NULL; words++) {
    char text[256];
    snprintf(text, sizeof text, "%s", *words);
    char *rest = text, *type = strsep(&rest, ":"), *target = strsep(&rest, ":");
    if (target == NULL) return 2;
    mkdir(target, 0755);
    say(*words, mount("none", target, type, 0, rest));
  }
  return 0;
}

int unmount(char **words) {
  for (; *words != NULL; words++) say(*words, umount2(*words, MNT_DETACH));
  return 0;
}

int remount(char **words) {
  for (; *words != NULL; words++) say(*words, mount(NULL, *words, NULL, MS_REMOUNT | MS_BIND, NULL));
  return 0;
}

int cover(char **words) {
  for (; *words != NULL; words++) say(*words, mount("/", *words, NULL, MS_BIND, NULL));
  return 0;
}

/* Writes what is there already. */
int release_agent(char **words) {
  for (; *words != NULL; words++) {
    char folder[128], path[256], text[256];
    snprintf(folder, sizeof folder, "/tmp/group-%s", *words);
    snprintf(path, sizeof path, "%s/release_agent", folder);
    mkdir(folder, 0755);
    int file = mount("none", folder, "cgroup", 0, *words) < 0 ? -1 : open(path, O_RDWR);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text);
    say(*words, size < 0 ? -1 : pwrite(file, text, size > 0 ? size : 1, 0));
  }
  return 0;
}

static void put(const char *path, const char *text) {
  int file = open(path, O_WRONLY);
  if (file < 0 || write(file, text, strlen(text)) < 0) say(path, -1);
  if (file >= 0) close(file);
}

int nested(char **words) {
  char uids[64], gids[64];
  snprintf(uids, sizeof uids, "0 %u 1", geteuid());
  snprintf(gids, sizeof gids, "0 %u 1", getegid());
  int all = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWCGROUP | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS;
  int made = unshare(all);
  say("nested", made);
  if (made < 0) return 0;
  if (access("/proc/self/setgroups", W_OK) == 0) put("/proc/self/setgroups", "deny");
  put("/proc/self/uid_map", uids);
  put("/proc/self/gid_map", gids);
  pid_t child = fork();
  if (child == 0) exit(run_command(words));
  return child < 0 || waitpid(child, NULL, 0) < 0;
}
