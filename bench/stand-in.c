/*
 * Three stand-ins for a compiler, put first in PATH of a build under the compiler's name.
 *
 *   BENCH_STAND_IN=record   runs the real compiler, then keeps what it was asked and what it made.
 *   BENCH_STAND_IN=replay   copies what was kept into place: a compiler that costs nothing. What the build
 *                           still costs then is what make, the shell and the build's own tools cost.
 *   BENCH_STAND_IN=prefix   runs BENCH_PREFIX with the real compiler and its arguments: for a tool that wants to be
 *                           called so, in a build that names only the compiler.
 *
 * BENCH_RECORDING/<key>/ holds `argv` (NUL after each word), `cwd`, `object`, and `depfile` if there is one. The
 * key is a hash of the working directory and the arguments. Calls that are no compile of one C or C++ source, and
 * those that were not recorded, go to the real compiler: the next one in PATH that is not this program, under its
 * absolute path, because GCC looks for cc1 beside argv[0].
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const SOURCE_SUFFIXES[] = {".c", ".cc", ".cpp", ".cxx", ".C"};
static const char *const DEPFILE_PREFIXES[] = {"-Wp,-MMD,", "-Wp,-MD,"};
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct unit {
  const char *source, *object;
  char depfile[PATH_MAX];
};

static void fail(const char *what, const char *path) {
  fprintf(stderr, "stand-in: cannot %s %s: %s\n", what, path, strerror(errno));
  exit(125);
}

static bool ends_with(const char *text, const char *suffix) {
  size_t length = strlen(text), wanted = strlen(suffix);
  return length > wanted && strcmp(text + length - wanted, suffix) == 0;
}

static bool is_source(const char *word) {
  if (word[0] == '-') return false;
  for (size_t i = 0; i < COUNT(SOURCE_SUFFIXES); i++)
    if (ends_with(word, SOURCE_SUFFIXES[i])) return true;
  return false;
}

/* True if the call compiles one source into one object that is named in it. */
static bool parse(int argc, char **argv, struct unit *unit) {
  bool compiles = false, wants_depfile = false;
  const char *depfile = NULL;
  int sources = 0;
  for (int i = 1; i < argc; i++) {
    const char *word = argv[i];
    if (strcmp(word, "-c") == 0) compiles = true;
    else if (strcmp(word, "-MD") == 0 || strcmp(word, "-MMD") == 0) wants_depfile = true;
    else if (strcmp(word, "-o") == 0 && i + 1 < argc) unit->object = argv[++i];
    else if (strcmp(word, "-MF") == 0 && i + 1 < argc) depfile = argv[++i];
    else if ((strcmp(word, "-include") == 0 || strcmp(word, "-MT") == 0 || strcmp(word, "-MQ") == 0) && i + 1 < argc) i++;
    else if (is_source(word)) sources++, unit->source = word;
    for (size_t k = 0; k < COUNT(DEPFILE_PREFIXES); k++)
      if (strncmp(word, DEPFILE_PREFIXES[k], strlen(DEPFILE_PREFIXES[k])) == 0)
        depfile = word + strlen(DEPFILE_PREFIXES[k]);
  }
  if (!compiles || sources != 1 || !unit->object || !ends_with(unit->object, ".o")) return false;
  if (depfile) snprintf(unit->depfile, sizeof unit->depfile, "%s", depfile);
  else if (wants_depfile) snprintf(unit->depfile, sizeof unit->depfile, "%.*s.d", (int)strlen(unit->object) - 2, unit->object);
  return true;
}

static uint64_t hash(uint64_t state, const char *text) {
  do state = (state ^ (unsigned char)*text) * 0x100000001b3ULL;
  while (*text++);
  return state;
}

/* The directory of the recording that belongs to this call. */
static void place(char *directory, size_t size, const char *recording, const char *cwd, char **argv) {
  uint64_t key = hash(0xcbf29ce484222325ULL, cwd);
  for (char **word = argv + 1; *word; word++) key = hash(key, *word);
  snprintf(directory, size, "%s/%016llx", recording, (unsigned long long)key);
}

static bool copy(const char *from, const char *to) {
  static char buffer[1 << 18];
  int in = open(from, O_RDONLY | O_CLOEXEC);
  if (in < 0) return false;
  int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (out < 0) fail("write", to);
  ssize_t count;
  while ((count = read(in, buffer, sizeof buffer)) > 0)
    if (write(out, buffer, count) != count) fail("write", to);
  if (count < 0) fail("read", from);
  close(in);
  if (close(out) != 0) fail("write", to);
  return true;
}

/* The compiler of this name that PATH has behind this program. */
static void find_real(char *path, size_t size, const char *called_as) {
  const char *name = strrchr(called_as, '/') ? strrchr(called_as, '/') + 1 : called_as;
  const char *entry = getenv("PATH");
  struct stat self, other;
  if (stat("/proc/self/exe", &self) != 0) fail("look at", "/proc/self/exe");
  while (entry && *entry) {
    int length = (int)strcspn(entry, ":");
    snprintf(path, size, "%.*s/%s", length, entry, name);
    bool is_self = stat(path, &other) == 0 && other.st_dev == self.st_dev && other.st_ino == self.st_ino;
    if (!is_self && access(path, X_OK) == 0) return;
    entry += length + (entry[length] == ':');
  }
  errno = ENOENT;
  fail("find a real", name);
}

static void keep(const char *directory, const char *cwd, char **argv, const struct unit *unit) {
  char path[PATH_MAX + 16];
  if (mkdir(directory, 0777) != 0 && errno != EEXIST) fail("make", directory);
  snprintf(path, sizeof path, "%s/object", directory);
  if (!copy(unit->object, path)) fail("read", unit->object);
  snprintf(path, sizeof path, "%s/depfile", directory);
  if (unit->depfile[0]) copy(unit->depfile, path);
  snprintf(path, sizeof path, "%s/cwd", directory);
  FILE *file = fopen(path, "w");
  if (!file || fputs(cwd, file) < 0 || fclose(file) != 0) fail("write", path);
  snprintf(path, sizeof path, "%s/argv", directory);
  file = fopen(path, "w");
  if (!file) fail("write", path);
  for (char **word = argv; *word; word++) fwrite(*word, strlen(*word) + 1, 1, file);
  if (fclose(file) != 0) fail("write", path);
}

static int run(const char *program, char **argv) {
  int status;
  pid_t child = fork();
  if (child == 0) {
    execv(program, argv);
    _exit(127);
  }
  if (child < 0 || waitpid(child, &status, 0) != child) fail("run", program);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void run_behind(char *prefix, int argc, char **argv) {
  char **words = malloc((argc + 2) * sizeof *words);
  if (!prefix || !words) fail("find", "BENCH_PREFIX");
  words[0] = prefix;
  memcpy(words + 1, argv, (argc + 1) * sizeof *words);
  execv(prefix, words);
  fail("run", prefix);
}

int main(int argc, char **argv) {
  const char *recording = getenv("BENCH_RECORDING"), *mode = getenv("BENCH_STAND_IN");
  char cwd[PATH_MAX], directory[PATH_MAX], kept[PATH_MAX + 16], real[PATH_MAX];
  struct unit unit = {0};
  bool is_unit = recording && mode && parse(argc, argv, &unit) && getcwd(cwd, sizeof cwd);
  if (is_unit) place(directory, sizeof directory, recording, cwd, argv);
  if (is_unit && strcmp(mode, "replay") == 0) {
    snprintf(kept, sizeof kept, "%s/depfile", directory);
    if (unit.depfile[0]) copy(kept, unit.depfile);
    snprintf(kept, sizeof kept, "%s/object", directory);
    if (copy(kept, unit.object)) return 0;
  }
  find_real(real, sizeof real, argv[0]);
  char *called_as = argv[0];
  argv[0] = real;
  if (is_unit && strcmp(mode, "record") == 0) {
    int status = run(real, argv);
    argv[0] = called_as;
    if (status == 0) keep(directory, cwd, argv, &unit);
    return status;
  }
  if (mode && strcmp(mode, "prefix") == 0) run_behind(getenv("BENCH_PREFIX"), argc, argv);
  execv(real, argv);
  fail("run", real);
}
