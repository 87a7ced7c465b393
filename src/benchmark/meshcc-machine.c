/*
 * Measures what only the machine itself can tell: the true clock of a core, alone and while all cores are busy, and the
 * latency of memory by the size of what is walked through. Takes no input and reads no file. Prints lines of
 * NAME NUMBER...; docs/bench.md says what they mean. Ends by itself within seconds; alarms end it in any case.
 *
 * meshcc-machine measure MAX_BYTES   walks through at most MAX_BYTES
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Nothing here takes longer unless the machine is stuck, or busy with other things. */
#define LONGEST_CPU_SECONDS 15
#define LONGEST_SECONDS 50
#define LINE_BYTES 64
#define SMALLEST_BYTES 4096
/* How long a chain of loads is walked for one value, and a chain of additions. */
#define WALK_NS 25000000LL
#define CLOCK_NS 3000000LL
#define CLOCK_TRIALS 15
#define BUSY_SETTLE_NS 200000000LL
#define MAX_CPUS 1024

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

/* Of this process; a child has to ask for itself. */
static void limit_time(void) {
  struct itimerval cpu = {.it_value = {.tv_sec = LONGEST_CPU_SECONDS}};
  setitimer(ITIMER_PROF, &cpu, NULL);
  alarm(LONGEST_SECONDS);
}

/* Additions of which each needs the one before: one for each cycle on every core in use. */
static unsigned long add_chain(unsigned long turns) {
  unsigned long sum = turns;
  unsigned long step = turns | 1;
#define ADD1 sum += step; __asm__ volatile("" : "+r"(sum), "+r"(step));
#define ADD8 ADD1 ADD1 ADD1 ADD1 ADD1 ADD1 ADD1 ADD1
#define ADD64 ADD8 ADD8 ADD8 ADD8 ADD8 ADD8 ADD8 ADD8
  for (; turns > 0; turns--) {
    ADD64 ADD64
  }
  return sum;
}

#define ADDS_PER_TURN 128

static volatile unsigned long sink;

/* The fastest of several trials: what interrupts and neighbours took away is no property of the core. */
static double clock_mhz(void) {
  unsigned long turns = 2000;
  long long elapsed = 0;
  double best = 0;
  while (elapsed < CLOCK_NS && turns < (1UL << 40)) {
    long long start = now_ns();
    sink += add_chain(turns);
    elapsed = now_ns() - start;
    if (elapsed < CLOCK_NS) turns *= 2;
  }
  for (int trial = 0; trial < CLOCK_TRIALS; trial++) {
    long long start = now_ns();
    sink += add_chain(turns);
    double mhz = (double)turns * ADDS_PER_TURN * 1000.0 / (double)(now_ns() - start);
    if (mhz > best) best = mhz;
  }
  return best;
}

static void keep_busy(pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0);
  limit_time();
  for (;;) sink += add_chain(100000);
}

static double busy_clock_mhz(int cpus) {
  pid_t children[MAX_CPUS];
  int started = 0;
  pid_t parent = getpid();
  for (; started < cpus - 1 && started < MAX_CPUS; started++) {
    pid_t child = fork();
    if (child == 0) keep_busy(parent);
    if (child < 0) break;
    children[started] = child;
  }
  long long end = now_ns() + BUSY_SETTLE_NS;
  while (now_ns() < end) sink += add_chain(10000);
  double mhz = clock_mhz();
  for (int index = 0; index < started; index++) kill(children[index], SIGKILL);
  for (int index = 0; index < started; index++) waitpid(children[index], NULL, 0);
  return mhz;
}

static uint32_t random_state = 12345;

static uint32_t random_below(uint32_t bound) {
  random_state ^= random_state << 13;
  random_state ^= random_state >> 17;
  random_state ^= random_state << 5;
  return (uint32_t)(((uint64_t)random_state * bound) >> 32);
}

/* One circle through all cache lines, in an order that no prefetcher guesses (Sattolo's shuffle). */
static void link_lines(char *memory, uint32_t *order, uint32_t lines) {
  for (uint32_t index = 0; index < lines; index++) order[index] = index;
  for (uint32_t index = lines - 1; index > 0; index--) {
    uint32_t other = random_below(index);
    uint32_t kept = order[index];
    order[index] = order[other];
    order[other] = kept;
  }
  for (uint32_t index = 0; index < lines; index++)
    *(void **)(memory + (size_t)index * LINE_BYTES) = memory + (size_t)order[index] * LINE_BYTES;
}

static double walk_ns(char *memory, uint32_t lines) {
  void **place = (void **)memory;
  /* Once around, so that caches hold what they can. */
  for (uint32_t step = 0; step < lines; step++) place = (void **)*place;
  long long start = now_ns();
  long long elapsed;
  unsigned long loads = 0;
  do {
    for (int step = 0; step < 4096; step++) place = (void **)*place;
    loads += 4096;
    elapsed = now_ns() - start;
  } while (elapsed < WALK_NS);
  sink += (unsigned long)place;
  return (double)elapsed / (double)loads;
}

static int print_latencies(size_t max_bytes) {
  char *memory = mmap(NULL, max_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint32_t *order = malloc(max_bytes / LINE_BYTES * sizeof *order);
  if (memory == MAP_FAILED || order == NULL) {
    fprintf(stderr, "no memory of %zu bytes: %s\n", max_bytes, strerror(errno));
    return 1;
  }
  /* Ordinary pages, as a compiler's memory has. */
  madvise(memory, max_bytes, MADV_NOHUGEPAGE);
  for (size_t bytes = SMALLEST_BYTES; bytes <= max_bytes; bytes *= 2) {
    uint32_t lines = (uint32_t)(bytes / LINE_BYTES);
    link_lines(memory, order, lines);
    double best = walk_ns(memory, lines);
    for (int again = 0; again < 2; again++) {
      double ns = walk_ns(memory, lines);
      if (ns < best) best = ns;
    }
    printf("latency %zu %.2f\n", bytes, best);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc != 3 || strcmp(argv[1], "measure") != 0) return 2;
  limit_time();
  size_t max_bytes = strtoul(argv[2], NULL, 10);
  if (max_bytes < SMALLEST_BYTES || max_bytes > ((size_t)1 << 30)) return 2;
  cpu_set_t set;
  int cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
  printf("processors %d\n", cpus);
  printf("clock_mhz %.0f\n", clock_mhz());
  printf("busy_clock_mhz %.0f\n", busy_clock_mhz(cpus));
  return print_latencies(max_bytes);
}
