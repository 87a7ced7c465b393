/*
 * Text: names are taken apart and joined, lines are written. No printf, which is the dearest part of a C library
 * to start and the largest to stand in for. Part of meshcc-shim.c.
 */
#ifndef MESHCC_TEXT_H
#define MESHCC_TEXT_H

enum { DECIMAL_BYTES = 11, MAX_LINE_PARTS = 12 };

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Writes texts, the last one followed by NULL, to standard error: one write, so that a line stays a line. */
__attribute__((sentinel)) static void say(const char *first, ...) {
  struct iovec parts[MAX_LINE_PARTS];
  int count = 0;
  va_list more;
  va_start(more, first);
  for (const char *part = first; part && count < MAX_LINE_PARTS; part = va_arg(more, const char *))
    parts[count++] = (struct iovec){(char *)part, strlen(part)};
  va_end(more);
  while (writev(STDERR_FILENO, parts, count) < 0 && errno == EINTR) continue;
}

static _Noreturn void fail(const char *subject, const char *problem, int status) {
  say("meshcc: ", subject, ": ", problem, "\n", NULL);
  _exit(status);
}

/* One new text of several; the last one is followed by NULL. */
__attribute__((sentinel)) static char *joined(const char *first, ...) {
  size_t size_bytes = 1;
  va_list more;
  va_start(more, first);
  for (const char *part = first; part; part = va_arg(more, const char *)) size_bytes += strlen(part);
  va_end(more);
  char *whole = realloc(NULL, size_bytes), *at = whole;
  if (!whole) fail("memory", strerror(ENOMEM), 126);
  va_start(more, first);
  for (const char *part = first; part; part = va_arg(more, const char *)) at = stpcpy(at, part);
  va_end(more);
  return whole;
}

/* The digits of a number, at the end of `digits`. */
static const char *decimal(unsigned value, char digits[DECIMAL_BYTES]) {
  char *at = digits + DECIMAL_BYTES - 1;
  *at = 0;
  do *--at = (char)('0' + value % 10);
  while (value /= 10);
  return at;
}

/* Writes a number as decimal text; it takes at most eleven bytes. */
static void put_number(char *to, unsigned number) {
  char reversed[10];
  size_t length = 0;
  do reversed[length++] = (char)('0' + number % 10);
  while (number /= 10);
  while (length) *to++ = reversed[--length];
  *to = 0;
}

/* The number that a text begins with; 0 if there is none, or if it is above 999,999,999. */
static int number_in(const char *text) {
  int value = 0;
  for (int digits = 0; *text >= '0' && *text <= '9'; text++) {
    if (digits++ == 9) return 0;
    value = 10 * value + (*text - '0');
  }
  return value;
}

#endif
