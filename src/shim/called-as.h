/*
 * What a call of the shim is for: which real compiler it stands for, a question that the compiler answers
 * at once, or no compiler at all. Part of meshcc-shim.c.
 */
#ifndef MESHCC_CALLED_AS_H
#define MESHCC_CALLED_AS_H

static char cwd[PATH_MAX]; /* empty if it cannot be told */

static const char *base_name(const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

static bool starts_with(const char *text, const char *prefix) {
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The value of an environment variable, or NULL if it is unset or empty. */
static const char *setting(const char *variable) {
  const char *value = getenv(variable);
  return value && *value ? value : NULL;
}

static bool is_on(const char *variable) {
  const char *value = setting(variable);
  return value && strcmp(value, "0") != 0;
}

static _Noreturn void fail(const char *subject, const char *problem, int status) {
  dprintf(STDERR_FILENO, "meshcc: %s: %s\n", subject, problem);
  _exit(status);
}

/* An absolute spelling of path, symbolic links kept; NULL if there is none that can be used. */
static char *absolute(const char *path) {
  static char joined[2 * PATH_MAX];
  bool relative = path[0] != '/';
  if (relative && !*cwd) return NULL;
  int length = snprintf(joined, sizeof joined, "%s%s%s", relative ? cwd : "", relative ? "/" : "", path);
  return length < PATH_MAX ? joined : NULL;
}

/* True for gcc, c++, clang-15, x86_64-linux-gnu-gcc-12, …; false for gcc-ar. */
static bool is_compiler_name(const char *text) {
  static const char *const NAMES[] = {"cc", "gcc", "g++", "c++", "clang", "clang++"};
  size_t length = strlen(text);
  size_t unversioned = length;
  while (unversioned && strchr("0123456789.", text[unversioned - 1])) unversioned--;
  if (unversioned < length && unversioned && text[unversioned - 1] == '-') length = unversioned - 1;
  size_t start = length;
  while (start && text[start - 1] != '-') start--;
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++)
    if (strlen(NAMES[i]) == length - start && starts_with(text + start, NAMES[i])) return true;
  return false;
}

/* True if path is this program, or a copy of it in another masquerade directory. */
static bool is_shim(const char *path) {
  struct stat found, self;
  char resolved[PATH_MAX];
  if (stat(path, &found)) return false;
  if (stat("/proc/self/exe", &self) == 0 && self.st_dev == found.st_dev && self.st_ino == found.st_ino)
    return true;
  return realpath(path, resolved) && strcmp(base_name(resolved), "meshcc-shim") == 0;
}

static bool can_run(const char *path) {
  struct stat found;
  return stat(path, &found) == 0 && S_ISREG(found.st_mode) && access(path, X_OK) == 0;
}

/*
 * The first real compiler of that name in PATH; or the first one behind `previous`, if that is in PATH:
 * a wrapper such as ccache looks the name up again, finds the shim, and must come to the compiler behind
 * itself. `previous` again if nothing is behind it: without the shim, it would have found itself as well.
 */
static char *find_compiler(const char *wanted, const char *previous) {
  const char *path = setting("PATH"), *entry = path ? path : "/usr/bin:/bin", *next;
  char *first = NULL;
  bool passed = false;
  for (; entry; entry = next) {
    char candidate[2 * PATH_MAX];
    int length = (int)strcspn(entry, ":");
    next = entry[length] ? entry + length + 1 : NULL;
    if (length >= PATH_MAX) continue;
    snprintf(candidate, sizeof candidate, "%.*s%s%s", length, entry, length ? "/" : "", wanted);
    char *full = absolute(candidate);
    if (!full || !can_run(full) || is_shim(full)) continue;
    if (previous && strcmp(full, previous) == 0) passed = true;
    else if (!previous || passed) return strdup(full);
    else if (!first) first = strdup(full);
  }
  return passed ? strdup(previous) : first;
}

/* Questions about the compiler itself; build systems ask them often and keep the answers. */
static bool is_query(int count, char **arguments) {
  static const char *const QUERIES[] = {"-dump", "-print-", "--print-", "--version", "--help", "--target-help"};
  if (count != 1) return count == 0;
  for (size_t i = 0; i < sizeof QUERIES / sizeof *QUERIES; i++)
    if (starts_with(arguments[0], QUERIES[i])) return true;
  return strcmp(arguments[0], "-v") == 0;
}

static bool is_compile(int count, char **arguments) {
  for (int i = 0; i < count; i++)
    if (strcmp(arguments[i], "-c") == 0) return true;
  return false;
}

/* The first argument that looks like a source file, for people to read; "" if there is none. */
static const char *source_of(int count, char **arguments) {
  static const char *const SUFFIXES[] = {".c", ".cc", ".cpp", ".cxx", ".c++", ".C", ".s", ".S", ".i", ".ii"};
  for (int i = 0; i < count; i++) {
    const char *dot = strrchr(base_name(arguments[i]), '.');
    for (size_t k = 0; dot && *arguments[i] != '-' && k < sizeof SUFFIXES / sizeof *SUFFIXES; k++)
      if (strcmp(dot, SUFFIXES[k]) == 0) return arguments[i];
  }
  return "";
}

/* Called as `meshcc` or `meshcc-shim` without a compiler: runs the command line tool, or what else is named. */
static _Noreturn void run_other(const char *called, int argc, char **argv) {
  if (argc > 1 && (strchr(argv[1], '/') || strcmp(called, "meshcc") != 0)) {
    execvp(argv[1], argv + 1);
    fail(argv[1], strerror(errno), errno == ENOENT ? 127 : 126);
  }
  if (strcmp(called, "meshcc") != 0) fail(called, "usage: meshcc-shim <compiler> <arguments>", 2);
  char path[PATH_MAX + 16], lines[2 * PATH_MAX + 2] = "";
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (length < 0) fail("/proc/self/exe", strerror(errno), 126);
  path[length] = 0;
  strcpy(strrchr(path, '/') + 1, "meshcc-cli");
  int sidecar = open(path, O_RDONLY | O_CLOEXEC);
  if (sidecar < 0 || read(sidecar, lines, sizeof lines - 1) < 0) fail(path, strerror(errno), 126);
  char *node = strtok(lines, "\n"), *script = strtok(NULL, "\n");
  if (!node || !script) fail(path, "must hold two lines: the path of node, the path of the program", 126);
  char **command = calloc(argc + 2, sizeof *command);
  if (!command) fail(called, strerror(errno), 126);
  command[0] = node;
  command[1] = script;
  memcpy(command + 2, argv + 1, (argc - 1) * sizeof *command);
  execv(node, command);
  fail(node, strerror(errno), 126);
}

#endif
