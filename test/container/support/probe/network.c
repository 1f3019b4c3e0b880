/* What goes over a network. Addresses are numbers, ports are of UDP. */
#include "probe.h"
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

int send_udp(char **words) {
  const char *address = words[0], *port = words[1], *device = words[2];
  struct sockaddr_in to4 = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
  struct sockaddr_in6 to6 = {.sin6_family = AF_INET6, .sin6_port = htons(atoi(port))};
  int isIpv4 = inet_pton(AF_INET, address, &to4.sin_addr) == 1;
  if (!isIpv4 && inet_pton(AF_INET6, address, &to6.sin6_addr) != 1) return 2;
  int number = socket(isIpv4 ? AF_INET : AF_INET6, SOCK_DGRAM, 0);
  if (device != NULL && setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, device, strlen(device)) < 0) return answer(-1);
  struct sockaddr *to = isIpv4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6;
  return answer(sendto(number, "probe", 5, 0, to, isIpv4 ? sizeof to4 : sizeof to6));
}

int send_frame(char **words) {
  const char *address = words[0], *port = words[1];
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

int echo_udp(char **words) {
  const char *port = words[0];
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
