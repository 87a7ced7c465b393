/*
 * The REQUEST frame: what the agent has to know of a call. Part of meshcc-shim.c.
 */
#ifndef MESHCC_REQUEST_H
#define MESHCC_REQUEST_H

#include "environment-table.h" /* MESHCC_ENVIRONMENT: the variables that a compile depends on */

enum { VARIABLES = sizeof MESHCC_ENVIRONMENT / sizeof *MESHCC_ENVIRONMENT, PAIRS = 256 };

static char *put_u32(char *to, uint32_t value) {
  value = htole32(value);
  return mempcpy(to, &value, sizeof value);
}

/* A number for the first two letters of a name, by which nearly every variable is passed over. */
static size_t pair_of(const char *name) {
  return ((unsigned char)name[0] * 31u + (unsigned char)name[1]) % PAIRS;
}

/*
 * The values of the variables of MESHCC_ENVIRONMENT, NULL for those that are unset. A build system may export
 * hundreds, so that one pass over all pays, and a getenv() for each name does not.
 */
static void look_up_variables(const char *values[VARIABLES]) {
  bool begins_a_name[PAIRS] = {false};
  for (size_t i = 0; i < VARIABLES; i++) {
    begins_a_name[pair_of(MESHCC_ENVIRONMENT[i])] = true;
    values[i] = NULL;
  }
  for (char **entry = environ; *entry; entry++) {
    if (!**entry || !begins_a_name[pair_of(*entry)]) continue;
    size_t length = strcspn(*entry, "=");
    if (!(*entry)[length]) continue;
    for (size_t i = 0; i < VARIABLES; i++) /* of two with one name, the first one counts */
      if (!values[i] && strncmp(*entry, MESHCC_ENVIRONMENT[i], length) == 0 && !MESHCC_ENVIRONMENT[i][length])
        values[i] = *entry + length + 1;
  }
}

/* What a request says, apart from the environment and the state of the process. */
struct request {
  const char *compiler, *name;
  int argument_count;
  char **arguments; /* without [0] */
};

/* The whole frame. @returns NULL if there is no memory for it */
static char *make_request(const struct request *call, uint32_t type, uint32_t version, size_t *size_bytes) {
  const char *values[VARIABLES];
  struct winsize window = {0};
  bool stderr_is_tty = ioctl(STDERR_FILENO, TIOCGWINSZ, &window) == 0;
  mode_t mask = umask(0);
  umask(mask);
  uint32_t variables = 0;
  *size_bytes = 8 + 8 * 4 + strlen(call->compiler) + strlen(call->name) + strlen(cwd) + 3;
  for (int i = 0; i < call->argument_count; i++) *size_bytes += strlen(call->arguments[i]) + 1;
  look_up_variables(values);
  for (size_t i = 0; i < VARIABLES; i++)
    if (values[i]) variables++, *size_bytes += strlen(MESHCC_ENVIRONMENT[i]) + strlen(values[i]) + 2;
  char *frame = realloc(NULL, *size_bytes);
  if (!frame) return NULL;
  char *at = put_u32(put_u32(frame, type), (uint32_t)(*size_bytes - 8));
  at = put_u32(put_u32(at, version), stderr_is_tty | (isatty(STDOUT_FILENO) ? 2 : 0) | (isatty(STDIN_FILENO) ? 4 : 0));
  at = put_u32(put_u32(at, mask), (uint32_t)getpid());
  at = put_u32(put_u32(at, window.ws_col), window.ws_row);
  at = put_u32(put_u32(at, (uint32_t)call->argument_count), variables);
  at = stpcpy(stpcpy(stpcpy(at, call->compiler) + 1, call->name) + 1, cwd) + 1;
  for (int i = 0; i < call->argument_count; i++) at = stpcpy(at, call->arguments[i]) + 1;
  for (size_t i = 0; i < VARIABLES; i++)
    if (values[i]) at = stpcpy(stpcpy(stpcpy(at, MESHCC_ENVIRONMENT[i]), "="), values[i]) + 1;
  return frame;
}

#endif
