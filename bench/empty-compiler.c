/*
 * A compiler that costs nothing: writes an object and a depfile of a few bytes where the arguments say (-o, -MF),
 * and ends. What a worker spends on a job of it is what the worker costs.
 */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static int write_file(const char *path, const char *text) {
  int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
  return file < 0 || write(file, text, strlen(text)) < 0 || close(file);
}

int main(int argc, char **argv) {
  int failed = 0;
  for (int i = 1; i + 1 < argc; i++) {
    if (!strcmp(argv[i], "-o")) failed |= write_file(argv[i + 1], "object");
    if (!strcmp(argv[i], "-MF")) failed |= write_file(argv[i + 1], "empty.o: empty.c\n");
  }
  return failed;
}
