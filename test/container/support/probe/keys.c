/* The kernel's keys: keyctl(2). The C library has no functions for it. */
#include "probe.h"
#include <linux/keyctl.h>

int keyrings(char **words) {
  (void)words;
  const char *names[] = {"thread", "process", "session", "user", "user session"};
  for (long number = KEY_SPEC_SESSION_KEYRING; number >= KEY_SPEC_USER_SESSION_KEYRING; number--) {
    long id = syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, number, 0);
    if (id < 0) say(names[-1 - number], -1);
    else printf("%s: %ld\n", names[-1 - number], id);
  }
  long id = syscall(SYS_keyctl, KEYCTL_GET_PERSISTENT, -1, KEY_SPEC_PROCESS_KEYRING);
  if (id < 0) say("persistent", -1);
  else printf("persistent: %ld\n", id);
  return 0;
}

int add_key_to(char **words) {
  if (words[0] == NULL || words[1] == NULL) return 2;
  long id = syscall(SYS_add_key, "user", words[0], "secret", 6, atol(words[1]));
  if (id >= 0) syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, id, 60); /* seconds: nothing stays on the machine */
  return answer(id);
}

int find_key_in(char **words) {
  const char *name = words[0];
  if (name == NULL) return 2;
  for (words++; *words != NULL; words++) say(*words, syscall(SYS_keyctl, KEYCTL_SEARCH, atol(*words), "user", name, 0));
  return 0;
}
