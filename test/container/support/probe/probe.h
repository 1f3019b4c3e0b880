/* What the parts of the probe share. A command gets its words, without its own name, up to a NULL, and returns the exit code. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef int (*command)(char **words);

/* "ok <result>", or the name of the error. */
int answer(long result);
/* "<subject>: ok", or "<subject>: <name of the error>". */
void say(const char *subject, long result);
/* Calls `visit` with the name of every process in /proc; no more than the first if it answers with something else than 0. */
void each_process(void (*visit)(const char *pid));
/* The command of that name with these words, as the command line would call it. */
int run_command(char **words);

int call(char **words), calls(char **words), sockets(char **words), connect_to(char **words), connect_tcp(char **words);
int deny(char **words), make_folder(char **words);
int show(char **words), open_write(char **words), open_read(char **words), writable(char **words), find_sockets(char **words);
int make_device(char **words), by_handle(char **words), overwrite(char **words), swap(char **words), descriptors(char **words);
int escape(char **words), mount_new(char **words), unmount(char **words), remount(char **words), cover(char **words);
int release_agent(char **words), nested(char **words), namespaces(char **words), trace(char **words), kill_all(char **words), type_ahead(char **words);
int identity(char **words), daemonise(char **words), fork_bomb(char **words), use_memory(char **words), open_many(char **words);
int keyrings(char **words), add_key_to(char **words), find_key_in(char **words);
int send_udp(char **words), send_frame(char **words), echo_udp(char **words);
