/*
 * A C library of the size that the shim needs. The start of glibc costs as much as all that the shim does, mostly
 * for questions to the processor, which trap in virtual machines. For Linux on 64 bits, where the structures in
 * the C library's headers are the kernel's own; elsewhere the same meshcc-shim.c is built with a whole C library.
 * What is here has the names and prototypes of those headers, and as much of their meaning as the shim uses.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>
#include "errno-texts.h"
#include "freestanding-kernel.h"

/* Bytes and texts. */

#if defined __GNUC__ && !defined __clang__
#pragma GCC optimize("no-tree-loop-distribute-patterns") /* which would make memset() of memset()'s own loop */
#endif

typedef uint64_t __attribute__((may_alias, aligned(1))) any_word;

void *mempcpy(void *restrict to, const void *restrict from, size_t length) {
  char *at = to;
  const char *source = from;
  for (; length >= sizeof(any_word); length -= sizeof(any_word), at += sizeof(any_word), source += sizeof(any_word))
    *(any_word *)at = *(const any_word *)source;
  while (length--) *at++ = *source++;
  return at;
}

void *memcpy(void *restrict to, const void *restrict from, size_t length) {
  mempcpy(to, from, length);
  return to;
}

void *memset(void *to, int byte, size_t length) {
  for (char *at = to; length--;) *at++ = (char)byte;
  return to;
}

size_t strnlen(const char *text, size_t limit) {
  size_t length = 0;
  while (length < limit && text[length]) length++;
  return length;
}

/* A word at a time once aligned: arguments and environment are kilobytes. An aligned word never crosses a page. */
size_t strlen(const char *text) {
  const uint64_t ones = UINT64_MAX / 255;
  const char *at = text;
  for (; (uintptr_t)at % sizeof(any_word); at++)
    if (!*at) return (size_t)(at - text);
  for (uint64_t word; word = *(const any_word *)at, !((word - ones) & ~word & ones << 7);) at += sizeof word;
  while (*at) at++;
  return (size_t)(at - text);
}

char *stpcpy(char *restrict to, const char *restrict from) {
  size_t length = strlen(from);
  return (char *)mempcpy(to, from, length + 1) - 1;
}

char *strcpy(char *restrict to, const char *restrict from) {
  stpcpy(to, from);
  return to;
}

char *strndup(const char *text, size_t limit) {
  size_t length = strnlen(text, limit);
  char *copy = realloc(NULL, length + 1);
  if (!copy) return NULL;
  *(char *)mempcpy(copy, text, length) = 0;
  return copy;
}

int strncmp(const char *left, const char *right, size_t limit) {
  for (; limit && *left && *left == *right; limit--) left++, right++;
  return limit ? (unsigned char)*left - (unsigned char)*right : 0;
}

int strcmp(const char *left, const char *right) { return strncmp(left, right, SIZE_MAX); }

char *strchr(const char *text, int character) {
  for (; *text != (char)character; text++)
    if (!*text) return NULL;
  return (char *)text;
}

char *strrchr(const char *text, int character) {
  const char *last = NULL;
  do
    if (*text == (char)character) last = text;
  while (*text++);
  return (char *)last;
}

size_t strcspn(const char *text, const char *stops) {
  size_t length = 0;
  while (text[length] && !strchr(stops, text[length])) length++;
  return length;
}

char *strerror(int number) {
  if (number > 0 && number < (int)(sizeof ERRNO_TEXTS / sizeof *ERRNO_TEXTS) && ERRNO_TEXTS[number])
    return (char *)ERRNO_TEXTS[number];
  return "Unknown error";
}

/* Memory: what is small comes from a piece of fixed size and stays; what is large has pages of its own. */

enum { PIECE_BYTES = 32 << 10, LARGE_BYTES = 8 << 10, MEMORY_ALIGNMENT = 16, PAGE_MULTIPLE = 64 << 10 };

struct block {
  _Alignas(MEMORY_ALIGNMENT) size_t size_bytes; /* with this header */
  bool has_pages;
  _Alignas(MEMORY_ALIGNMENT) char bytes[];
};

static _Alignas(MEMORY_ALIGNMENT) char piece[PIECE_BYTES];
static char *unused = piece;

static struct block *block_of(void *memory) {
  return (struct block *)((char *)memory - offsetof(struct block, bytes));
}

static struct block *new_block(size_t size_bytes) {
  bool has_pages = size_bytes >= LARGE_BYTES || size_bytes > (size_t)(piece + PIECE_BYTES - unused);
  struct block *block = (struct block *)unused;
  if (has_pages) {
    size_bytes = (size_bytes + PAGE_MULTIPLE - 1) & -(size_t)PAGE_MULTIPLE;
    long pages = SYSTEM(mmap, NULL, size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == -1) return NULL;
    block = (struct block *)pages;
  } else unused += size_bytes;
  block->size_bytes = size_bytes;
  block->has_pages = has_pages;
  return block;
}

void free(void *memory) {
  if (memory && block_of(memory)->has_pages) SYSTEM(munmap, block_of(memory), block_of(memory)->size_bytes);
}

void *realloc(void *memory, size_t wanted) {
  if (wanted > PTRDIFF_MAX - PAGE_MULTIPLE) return errno = ENOMEM, NULL;
  struct block *old = memory ? block_of(memory) : NULL;
  size_t size_bytes = (wanted + sizeof(struct block) + MEMORY_ALIGNMENT - 1) & -(size_t)MEMORY_ALIGNMENT;
  if (old && old->size_bytes >= size_bytes) return memory;
  struct block *block = new_block(size_bytes);
  if (!block) return NULL;
  if (old) memcpy(block->bytes, memory, old->size_bytes - sizeof(struct block));
  free(memory);
  return block->bytes;
}

/* The environment, and the programs that take over. */

char *getenv(const char *name) {
  size_t length = strlen(name);
  for (char **entry = environ; *entry; entry++)
    if (**entry == *name && strncmp(*entry, name, length) == 0 && (*entry)[length] == '=') return *entry + length + 1;
  return NULL;
}

int unsetenv(const char *name) {
  size_t length = strlen(name);
  char **kept = environ;
  for (char **entry = environ; *entry; entry++)
    if (strncmp(*entry, name, length) != 0 || (*entry)[length] != '=') *kept++ = *entry;
  *kept = NULL;
  return 0;
}

/* Always replaces. */
int setenv(const char *name, const char *value, int replace) {
  (void)replace;
  size_t count = 0, name_length = strlen(name);
  unsetenv(name);
  while (environ[count]) count++;
  char **longer = realloc(NULL, (count + 2) * sizeof *longer);
  char *entry = realloc(NULL, name_length + strlen(value) + 2);
  if (!longer || !entry) return -1;
  stpcpy(stpcpy(stpcpy(entry, name), "="), value);
  memcpy(longer, environ, count * sizeof *longer);
  longer[count] = entry;
  longer[count + 1] = NULL;
  environ = longer;
  return 0;
}

int execv(const char *path, char *const *argv) { return (int)SYSTEM(execve, path, argv, environ); }

/* Executes a file; one that the kernel does not know the kind of is a script for the shell. */
static void execute(const char *path, char *const *argv) {
  execv(path, argv);
  if (errno != ENOEXEC) return;
  size_t count = 0;
  while (argv[count]) count++;
  const char **script = realloc(NULL, (count + 3) * sizeof *script);
  if (!script) return;
  script[0] = "/bin/sh";
  script[1] = path;
  script[2] = NULL;
  if (count > 1) memcpy(script + 2, argv + 1, count * sizeof *script);
  execv("/bin/sh", (char *const *)script);
}

int execvp(const char *file, char *const *argv) {
  const char *entry = getenv("PATH");
  bool denied = false;
  if (!*file) return errno = ENOENT, -1;
  if (strchr(file, '/')) return execute(file, argv), -1;
  if (strlen(file) > NAME_MAX) return errno = ENAMETOOLONG, -1;
  if (!entry) entry = "/bin:/usr/bin";
  for (size_t length;; entry += length + 1) {
    char path[PATH_MAX + NAME_MAX + 2];
    length = strcspn(entry, ":");
    if (length < PATH_MAX) {
      char *end = mempcpy(path, entry, length);
      strcpy(end, length ? "/" : "");
      strcpy(end + strlen(end), file);
      execute(path, argv);
      if (errno == EACCES) denied = true;
      else if (errno != ENOENT && errno != ESTALE && errno != ENOTDIR && errno != ENODEV && errno != ETIMEDOUT)
        return -1;
    }
    if (!entry[length]) break;
  }
  errno = denied ? EACCES : ENOENT;
  return -1;
}
