/** A program that regenerates a header in the ways that generators do, and at once asks what the view has of it. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SOURCE = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void fail(const char *what) { perror(what); exit(9); }

static void fill(const char *path, int flags, const char *text) {
  int fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
  if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) || close(fd)) fail(path);
}

static void regenerate(const char *path, int way, const char *text) {
  static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
  char temporary[4096];
  snprintf(temporary, sizeof temporary, "%s.tmp", path);
  switch (way) {
  case 0: fill(path, O_CREAT, text); break;
  case 1: fill(path, O_CREAT | O_TRUNC, text); break;
  case 2: fill(temporary, O_CREAT | O_EXCL, text); if (rename(temporary, path)) fail("rename"); break;
  case 3: if (unlink(path) && errno != ENOENT) fail("unlink"); fill(path, O_CREAT | O_EXCL, text); break;
  case 4: fill(path, O_CREAT, text); if (utimensat(AT_FDCWD, path, old, 0)) fail("utimensat"); break;
  }
}

static int dial(const char *socket_path) {
  struct sockaddr_un name = {.sun_family = AF_UNIX};
  strncpy(name.sun_path, socket_path, sizeof name.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  while (connect(fd, (struct sockaddr *)&name, sizeof name)) if (errno != EAGAIN) fail("connect");
  return fd;
}

static void map_and_store(const char *path, const char *text) {
  int fd = open(path, O_RDWR | O_CLOEXEC);
  char *bytes = mmap(NULL, strlen(text), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || close(fd) || bytes == MAP_FAILED) fail("mmap");
  memcpy(bytes, text, strlen(text));
  if (munmap(bytes, strlen(text))) fail("munmap");
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "map")) { map_and_store(argv[2], argv[3]); return 0; }
  if (argc != 5) return 8;
  int kept = !strcmp(argv[4], "kept"), fd = kept ? dial(argv[1]) : -1, stale = 0;
  for (int round = 0; round < atoi(argv[3]); round++) {
    char text[64], question[4160], answer = 0;
    snprintf(text, sizeof text, "#define ROUND %08d\\n", round);
    int length = snprintf(question, sizeof question, "%s %d\\n", argv[2], round);
    /* The reader is woken before there is anything to see. */
    int sent = kept ? write(fd, question, 1) : 0;
    regenerate(argv[2], round % 5, text);
    if (!kept) fd = dial(argv[1]);
    if (write(fd, question + sent, length - sent) != length - sent || read(fd, &answer, 1) != 1) fail("ask");
    if (answer != 'y') stale++;
    if (!kept) close(fd);
  }
  printf("%d\\n", stale);
  return 0;
}
`;

/** What the program wrote in a round. */
export function contentOfRound(round: number): string {
  return `#define ROUND ${String(round).padStart(8, '0')}\n`;
}

/**
 * Compiles the program. `socket header rounds new|kept`: one question "path round" per round, on a new or a kept
 * connection, answered by `y` if the view is fresh; it prints how many were not. `map header text`: stores the
 * text through a shared mapping.
 */
export function buildHeaderWriter(directory: string): string {
  const source = join(directory, 'header-writer.c');
  const executable = join(directory, 'header-writer');
  writeFileSync(source, SOURCE);
  execFileSync('cc', ['-O1', '-Wall', '-Werror', '-Wno-stringop-truncation', '-o', executable, source]);
  return executable;
}
