/**
 * A program that does what a compiler never should. It refuses to run where it sees /proc, that is outside of a cell.
 * Its first argument says what to do.
 */
export const HOSTILE_SOURCE = `
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/un.h>
#include <unistd.h>

static void make(const char *path) {
  int fd = open(path, O_CREAT | O_WRONLY, 0644);
  if (fd < 0 || write(fd, "x", 1) != 1) exit(97);
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 2 || access("/proc/self", F_OK) == 0) return 99;
  if (!strcmp(argv[1], "irregular")) {
    make("plain");
    make("linked");
    if (link("linked", "second-name") || symlink("/usr", "link") || mkfifo("fifo", 0600)) return 98;
    struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "socket"};
    if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&name, sizeof name)) return 98;
    return unlink(argv[2]) ? 98 : 0;
  }
  if (!strcmp(argv[1], "connect")) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[2]))};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return connect(socket(AF_INET, SOCK_STREAM, 0), (struct sockaddr *)&to, sizeof to) ? errno : 0;
  }
  if (!strcmp(argv[1], "many")) {
    char name[32];
    for (int i = 0; i < atoi(argv[2]); i++) {
      snprintf(name, sizeof name, "file-%d", i);
      make(name);
    }
    return 0;
  }
  if (!strcmp(argv[1], "deep")) {
    for (int i = 0; i < atoi(argv[2]); i++) {
      if (mkdir("closed", 0700)) return 98;
      make("closed/file");
      if (chmod("closed", 0) || mkdir("d", 0700) || chdir("d")) return 98;
    }
    return 0;
  }
  if (!strcmp(argv[1], "daemon")) {
    if (fork() == 0) {
      setsid();
      signal(SIGTERM, SIG_IGN);
      if (fork() == 0)
        for (;;) pause();
    }
    return 0;
  }
  if (!strcmp(argv[1], "temporary")) {
    if (chdir(getenv("TMPDIR"))) return 98;
    make("scratch-file");
    puts(getenv("TMPDIR"));
    return 0;
  }
  if (!strcmp(argv[1], "user-namespace")) return unshare(CLONE_NEWUSER) ? errno : 0;
  if (!strcmp(argv[1], "crash")) __builtin_trap();
  if (!strcmp(argv[1], "fill")) {
    static char block[1 << 20];
    int fd = open("filler", O_CREAT | O_WRONLY, 0644);
    for (int i = 0; i < atoi(argv[2]); i++)
      if (write(fd, block, sizeof block) != sizeof block) return errno;
    return 0;
  }
  if (!strcmp(argv[1], "print")) {
    static char block[4096];
    memset(block, 'p', sizeof block);
    for (int i = 0; i < atoi(argv[2]); i++) {
      if (write(1, block, sizeof block) < 0 || write(2, block, sizeof block) < 0) return 98;
    }
    return 0;
  }
  return 96;
}
`;
