/*
 * What a call of the shim is for: which real compiler it stands for, a question that the compiler answers
 * at once, or no compiler at all. Part of meshcc-shim.c.
 */
#ifndef MESHCC_CALLED_AS_H
#define MESHCC_CALLED_AS_H

enum { MOST_LINKS = 40 }; /* as many as Linux follows */

static char cwd[PATH_MAX]; /* empty if it cannot be told */

/* The value of an environment variable, or NULL if it is unset or empty. */
static const char *setting(const char *variable) {
  const char *value = getenv(variable);
  return value && *value ? value : NULL;
}

static bool is_on(const char *variable) {
  const char *value = setting(variable);
  return value && strcmp(value, "0") != 0;
}

/* An absolute spelling of path, symbolic links kept; NULL if there is none that can be used. */
static const char *absolute(const char *path) {
  if (path[0] == '/') return strlen(path) < PATH_MAX ? path : NULL;
  if (!*cwd || strlen(cwd) + 1 + strlen(path) >= PATH_MAX) return NULL;
  return joined(cwd, "/", path, NULL);
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

/* True if the file that path leads to, through any number of links, is called meshcc-shim. */
static bool leads_to_shim(const char *path) {
  for (int links = 0; links < MOST_LINKS; links++) {
    char target[PATH_MAX];
    ssize_t length = readlink(path, target, sizeof target - 1);
    if (length < 0) return strcmp(base_name(path), "meshcc-shim") == 0;
    target[length] = 0;
    char *next = joined(path, target, NULL); /* has room for the link's directory and its target */
    strcpy(next + (target[0] == '/' ? 0 : base_name(path) - path), target);
    path = next;
  }
  return false;
}

/* The name under which the kernel started this program; /proc/self/exe is dear to look up. */
static const char *started_as(void) {
  const char *path = (const char *)getauxval(AT_EXECFN);
  return path ? path : "/proc/self/exe";
}

/* True if a file is this program, or a copy of it in another masquerade directory; `found` is its stat(). */
static bool is_shim(const char *path, const struct stat *found) {
  static struct stat self;
  if (!self.st_ino && stat(started_as(), &self) && stat("/proc/self/exe", &self)) self.st_ino = 0;
  if (self.st_ino && self.st_dev == found->st_dev && self.st_ino == found->st_ino) return true;
  return leads_to_shim(path);
}

/* True if path is a file that can be executed, and not a shim. */
static bool is_real_program(const char *path) {
  struct stat found;
  if (strcmp(path, started_as()) == 0 || stat(path, &found) || !S_ISREG(found.st_mode)) return false;
  return access(path, X_OK) == 0 && !is_shim(path, &found);
}

/*
 * The first real compiler of that name in PATH; or the first one behind `previous`, if that is in PATH:
 * a wrapper such as ccache looks the name up again, finds the shim, and must come to the compiler behind
 * itself. `previous` again if nothing is behind it: without the shim, it would have found itself as well.
 */
static const char *find_compiler(const char *wanted, const char *previous) {
  const char *path = setting("PATH"), *entry = path ? path : "/usr/bin:/bin", *next;
  const char *first = NULL;
  bool passed = false;
  for (; entry; entry = next) {
    size_t length = strcspn(entry, ":");
    next = entry[length] ? entry + length + 1 : NULL;
    const char *where = strndup(entry, length);
    const char *full = where ? absolute(joined(where, length ? "/" : "", wanted, NULL)) : NULL;
    if (!full || !is_real_program(full)) continue;
    if (previous && strcmp(full, previous) == 0) passed = true;
    else if (!previous || passed) return full;
    else if (!first) first = full;
  }
  return passed ? previous : first;
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

/* Reads the two lines beside the executable that name node and the program of the command line tool. */
static void read_sidecar(const char **node, const char **script) {
  static char own[PATH_MAX], lines[2 * PATH_MAX + 2];
  ssize_t length = readlink("/proc/self/exe", own, sizeof own - 1);
  if (length < 0) fail("/proc/self/exe", strerror(errno), 126);
  own[base_name(own) - own] = 0;
  const char *path = joined(own, "meshcc-cli", NULL);
  int sidecar = open(path, O_RDONLY | O_CLOEXEC);
  if (sidecar < 0 || read(sidecar, lines, sizeof lines - 1) < 0) fail(path, strerror(errno), 126);
  char *line = lines + strcspn(lines, "\n");
  char *end = *line ? line + 1 + strcspn(line + 1, "\n") : line;
  if (line == lines || end <= line + 1) fail(path, "must hold two lines: the path of node, the path of the program", 126);
  *line = *end = 0;
  *node = lines;
  *script = line + 1;
}

/* Called as `meshcc` or `meshcc-shim` without a compiler: runs the command line tool, or what else is named. */
static _Noreturn void run_other(const char *called, int argc, char **argv) {
  if (argc > 1 && (strchr(argv[1], '/') || strcmp(called, "meshcc") != 0)) {
    execvp(argv[1], argv + 1);
    fail(argv[1], strerror(errno), errno == ENOENT ? 127 : 126);
  }
  if (strcmp(called, "meshcc") != 0) fail(called, "usage: meshcc-shim <compiler> <arguments>", 2);
  const char *node, *script;
  read_sidecar(&node, &script);
  const char **command = realloc(NULL, (argc + 2) * sizeof *command);
  if (!command) fail(called, strerror(errno), 126);
  command[0] = node;
  command[1] = script;
  memcpy(command + 2, argv + 1, argc * sizeof *command); /* with the NULL at the end */
  execv(node, (char *const *)command);
  fail(node, strerror(errno), 126);
}

#endif
