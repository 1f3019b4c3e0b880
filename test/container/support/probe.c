/* What a hostile process tries. Prints "ok" and what it got, or the name of the error.
 *   probe call NUMBER [ARGUMENT...]   one system call; "ok <result>"
 *   probe escape                      the classic way out of a chroot; "ok" and the names that it finds at its end
 *   probe connect NAME                connects to an abstract Unix socket
 *   probe send ADDRESS PORT [DEVICE]  sends "probe" by UDP, on a socket that is bound to the device
 *   probe frame ADDRESS PORT          the same as a frame of the link eth0, past its routes and queues
 *   probe echo PORT                   says "ready", and answers one UDP message with the same
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int answer(long result) {
  if (result < 0) puts(strerrorname_np(errno));
  else printf("ok %ld\n", result);
  return 0;
}

static int call(char **words) {
  unsigned long numbers[7] = {0};
  for (int at = 0; at < 7 && words[at] != NULL; at++) numbers[at] = strtoul(words[at], NULL, 0);
  return answer(syscall(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]));
}

/* A root inside the root, while the current folder stays outside of it, and up from there. */
static int escape(void) {
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

static int connectTo(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  socklen_t lengths[] = {offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name), sizeof address};
  long result = -1;
  for (int at = 0; at < 2 && result < 0; at++) { /* some pad the name of a socket with NULs when they make it */
    int number = socket(AF_UNIX, SOCK_STREAM, 0);
    result = number < 0 ? -1 : connect(number, (struct sockaddr *)&address, lengths[at]);
  }
  return answer(result);
}

static int sendUdp(const char *address, const char *port, const char *device) {
  struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
  int isIpv4 = inet_pton(AF_INET, address, &to4.sin_addr) == 1;
  if (!isIpv4 && inet_pton(AF_INET6, address, &to6.sin6_addr) != 1) return 2;
  int number = socket(isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  if (device != NULL && setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)) < 0) return answer(-1);
  struct sockaddr *to = isIpv4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6;
  return answer(sendto(number, "probe", 5, 0, to, isIpv4 ? sizeof to4 : sizeof to6));
}

static int sendFrame(const char *address, const char *port) {
  struct { struct ether_header link; struct iphdr ip; struct udphdr udp; char text[5]; } __attribute__((packed)) frame = {
    .link = {.ether_dhost = {255, 255, 255, 255, 255, 255}, .ether_type = htons(ETHERTYPE_IP)},
    .ip = {.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP, .saddr = inet_addr("10.0.2.100"), .daddr = inet_addr(address)},
    .udp = {.source = htons(5000), .dest = htons(atoi(port)), .len = htons(sizeof(struct udphdr) + 5)},
    .text = {'p', 'r', 'o', 'b', 'e'},
  };
  frame.ip.tot_len = htons(sizeof frame - sizeof frame.link);
  unsigned sum = 0;
  for (unsigned at = 0; at < sizeof frame.ip; at += 2) sum += *(unsigned short *)((char *)&frame.ip + at);
  frame.ip.check = ~((sum & 0xffff) + (sum >> 16));
  int number = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_IP));
  if (number < 0 || setsockopt(number, SOL_PACKET, PACKET_QDISC_BYPASS, &(int){1}, sizeof(int)) < 0) return answer(-1);
  struct sockaddr_ll to = {.sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("eth0"), .sll_halen = 6};
  return answer(sendto(number, &frame, sizeof frame, 0, (struct sockaddr *)&to, sizeof to));
}

static int echo(const char *port) {
  struct sockaddr_in6 from, own = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port)), .sin6_addr = in6addr_any};
  socklen_t length = sizeof from;
  char text[100];
  int number = socket(AF_INET6, SOCK_DGRAM, 0);
  if (bind(number, (struct sockaddr *)&own, sizeof own) < 0) return answer(-1);
  puts("ready");
  fflush(stdout);
  long got = recvfrom(number, text, sizeof text, 0, (struct sockaddr *)&from, &length);
  return answer(got < 0 ? -1 : sendto(number, text, got, 0, (struct sockaddr *)&from, length));
}

int main(int argc, char **argv) {
  if (argc >= 3 && strcmp(argv[1], "call") == 0) return call(argv + 2);
  if (argc == 2 && strcmp(argv[1], "escape") == 0) return escape();
  if (argc == 3 && strcmp(argv[1], "connect") == 0) return connectTo(argv[2]);
  if (argc >= 4 && strcmp(argv[1], "send") == 0) return sendUdp(argv[2], argv[3], argv[4]);
  if (argc == 4 && strcmp(argv[1], "frame") == 0) return sendFrame(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "echo") == 0) return echo(argv[2]);
  return 2;
}
