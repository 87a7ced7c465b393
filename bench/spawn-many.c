/*
 * Starts a program many times, one after another, and prints what the children cost:
 * spawn-many COUNT PROGRAM ARGUMENTS... writes "user_us system_us wall_us failures" to standard output.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

static long long microseconds(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

int main(int argc, char **argv) {
  if (argc < 3) return 2;
  int failures = 0;
  struct rusage usage;
  struct timespec start, end;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (int left = atoi(argv[1]); left > 0; left--) {
    pid_t child;
    int status;
    if (posix_spawn(&child, argv[2], NULL, NULL, argv + 2, environ)) return 1;
    if (waitpid(child, &status, 0) != child || status != 0) failures++;
  }
  clock_gettime(CLOCK_MONOTONIC, &end);
  getrusage(RUSAGE_CHILDREN, &usage);
  long long wall_us = (end.tv_sec - start.tv_sec) * 1000000LL + (end.tv_nsec - start.tv_nsec) / 1000;
  printf("%lld %lld %lld %d\n", microseconds(usage.ru_utime), microseconds(usage.ru_stime), wall_us, failures);
  return 0;
}
