/*
 * Runs a list of commands, some at once, and prints what each cost:
 *
 *   run-list JOBS [PER_SECOND] < LIST
 *
 * LIST is words, each ended by NUL: working directory, number of arguments in decimal, the arguments; and so on.
 * With PER_SECOND, no more commands than that are started in a second. A line of output for each command that ended: "number status user_us system_us wall_us", with the number counted
 * from 0, and the exit status or 128 + signal. CPU time includes that of the children that the command waited for.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct command {
  const char *cwd;
  char **argv;
  pid_t pid;
  long long started_us;
};

static struct command *commands;
static int command_count;
static sigset_t child_ended;

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long microseconds(struct timeval time) { return time.tv_sec * 1000000LL + time.tv_usec; }

static void die(const char *what) {
  fprintf(stderr, "run-list: %s\n", what);
  exit(2);
}

static char *read_all(size_t *size) {
  size_t space = 1 << 20, used = 0, got;
  char *text = malloc(space);
  while (text && (got = fread(text + used, 1, space - used, stdin)) > 0) {
    used += got;
    if (used == space) text = realloc(text, space *= 2);
  }
  if (!text || (used > 0 && text[used - 1] != 0)) die("the list does not end with NUL");
  *size = used;
  return text;
}

static char *next_word(char **cursor, const char *end) {
  char *word = *cursor;
  if (word >= end) die("the list ends in the middle of a command");
  *cursor += strlen(word) + 1;
  return word;
}

static void read_commands(void) {
  size_t size;
  char *cursor = read_all(&size), *end = cursor + size;
  while (cursor < end) {
    commands = realloc(commands, (command_count + 1) * sizeof *commands);
    struct command *command = &commands[command_count++];
    command->cwd = next_word(&cursor, end);
    int words = atoi(next_word(&cursor, end));
    if (words < 1) die("a command without words");
    command->argv = calloc(words + 1, sizeof *command->argv);
    command->pid = 0;
    for (int i = 0; i < words; i++) command->argv[i] = next_word(&cursor, end);
  }
}

static void start(struct command *command) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, command->cwd);
  command->started_us = now_us();
  if (posix_spawnp(&command->pid, command->argv[0], &actions, &attributes, command->argv, environ) != 0)
    die("a command cannot be started");
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
}

/* Reports one command that has ended; false if none has. */
static bool reap(int options) {
  int status;
  struct rusage usage;
  pid_t pid = wait4(-1, &status, options, &usage);
  if (pid < 0) die("wait4 failed");
  if (pid == 0) return false;
  for (int i = 0; i < command_count; i++) {
    if (commands[i].pid != pid) continue;
    commands[i].pid = 0;
    printf("%d %d %lld %lld %lld\n", i, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
           microseconds(usage.ru_utime), microseconds(usage.ru_stime), now_us() - commands[i].started_us);
    return true;
  }
  die("a process ended that is none of the commands");
  return false;
}

/* Until a command ends, or (with `due_us`) until that time; true if one ended. */
static bool wait_for_one(long long due_us) {
  if (due_us == 0) return reap(0);
  for (;;) {
    if (reap(WNOHANG)) return true;
    long long left_us = due_us - now_us();
    if (left_us <= 0) return false;
    struct timespec left = {left_us / 1000000, left_us % 1000000 * 1000};
    sigtimedwait(&child_ended, NULL, &left);
  }
}

int main(int argc, char **argv) {
  int jobs = argc == 2 || argc == 3 ? atoi(argv[1]) : 0, running = 0;
  double per_second = argc == 3 ? atof(argv[2]) : 0;
  if (jobs < 1 || per_second < 0) die("usage: run-list JOBS [PER_SECOND] < LIST");
  read_commands();
  sigemptyset(&child_ended);
  sigaddset(&child_ended, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child_ended, NULL);
  long long first_us = now_us();
  for (int next = 0; next < command_count || running > 0;) {
    bool may_start = next < command_count && running < jobs;
    long long due_us = per_second > 0 ? first_us + (long long)(next * 1e6 / per_second) : 0;
    if (may_start && due_us <= now_us()) {
      start(&commands[next++]);
      running++;
    } else if (running == 0) {
      usleep((useconds_t)(due_us - now_us() > 0 ? due_us - now_us() : 0));
    } else if (wait_for_one(may_start ? due_us : 0)) {
      running--;
    }
  }
  return 0;
}
