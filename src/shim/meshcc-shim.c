/*
 * The gcc shim: called in place of a compiler, it hands the call to this user's agent and puts the result
 * in place. Whenever anything is in doubt it becomes the real compiler instead, so that a build can only
 * fail the way it would have failed without it. Frames, states and failures: docs/shim-protocol.md.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* Order matters: each of these small parts may use the ones before it. */
#include "text.h"
#include "called-as.h"
#include "agent-socket.h"
#include "local-slot.h"
#include "held-signals.h"
#include "request.h"
#include "output-file.h"

enum frame_type {
  FRAME_REQUEST = 1, /* from here on: shim to agent */
  FRAME_COMMITTED = 2,
  FRAME_LOCAL = 3,
  FRAME_ACCEPTED = 16, /* from here on: agent to shim */
  FRAME_RUN_LOCAL = 17,
  FRAME_OUTPUT_BEGIN = 18,
  FRAME_OUTPUT_DATA = 19,
  FRAME_DISCARD = 20,
  FRAME_STDOUT = 21,
  FRAME_STDERR = 22,
  FRAME_COMMIT = 23,
};

/* Why the shim leaves a call that the agent works on. */
enum local_cause { CAUSE_OUTPUT = 1, CAUSE_STALLED = 2, CAUSE_PROTOCOL = 3, CAUSE_INTERRUPTED = 4 };

/* What limits the number of real compilers that run at once: the agent, lock files, or nothing. */
enum slot { SLOT_OF_AGENT, SLOT_BY_LOCK, NO_SLOT };

enum {
  PROTOCOL_VERSION = 1,
  STALL_MS = 10000,
  MAX_OUTPUTS = 32,
  MAX_TEXT_BYTES = 64 << 10,
  MAX_DIAGNOSTIC_BYTES = 64 << 20,
};

struct text {
  char *bytes;
  size_t length, capacity;
};

static char **arguments; /* argv of the compiler; [0] becomes compiler_path */
static int argument_count; /* without [0] */
static const char *name; /* as the user called it, without directory */
static const char *compiler_path; /* the real compiler, absolute */
static int agent = -1; /* socket */
static int directory = -1; /* of the socket; -1 unless it is private to this user */
static struct output outputs[MAX_OUTPUTS];
static uint32_t output_count;
static struct text held_stdout, held_stderr;
static char inbox[64 << 10];
static size_t inbox_at, inbox_end;

static _Noreturn void leave_agent(enum local_cause cause, const char *reason, const char *detail);

static void *allocate(void *old, size_t size_bytes) {
  void *memory = realloc(old, size_bytes);
  if (!memory) leave_agent(CAUSE_PROTOCOL, "shim-memory", strerror(ENOMEM));
  return memory;
}

static bool write_all(int fd, const char *bytes, size_t length) {
  while (length) {
    ssize_t written = write(fd, bytes, length);
    if (written < 0 && errno != EINTR) return false;
    if (written < 0) continue;
    bytes += written;
    length -= written;
  }
  return true;
}

static void explain(const char *reason, const char *detail) {
  const char *source = source_of(argument_count, arguments + 1);
  say("[meshcc] ", name, *source ? " " : "", source, ": local: ", reason, *detail ? ": " : "", detail, "\n", NULL);
}

/* gcc finds cc1 through argv[0], and `gcc` would find the shim's directory: hence the absolute path. */
static _Noreturn void become_compiler(void) {
  arguments[0] = (char *)compiler_path;
  setenv("MESHCC_RECURSION", compiler_path, 1);
  execvp(compiler_path, arguments);
  if (errno == E2BIG) { /* the guard may be the byte too much */
    unsetenv("MESHCC_RECURSION");
    execvp(compiler_path, arguments);
  }
  fail(compiler_path, strerror(errno), errno == ENOENT ? 127 : 126);
}

static void discard_outputs(void) {
  for (uint32_t i = 0; i < output_count; i++) discard_output(&outputs[i]);
  output_count = 0;
  held_stdout.length = held_stderr.length = 0;
}

static _Noreturn void run_local(enum slot slot, const char *reason, const char *detail) {
  discard_outputs();
  forget_signals_to_writers();
  release_signals();
  if (is_on("MESHCC_EXPLAIN")) explain(reason, detail);
  if (slot == SLOT_OF_AGENT) survive_exec(agent);
  else if (agent >= 0) close(agent);
  if (slot == SLOT_BY_LOCK && is_compile(argument_count, arguments + 1)) wait_for_slot(directory);
  become_compiler();
}

/* Sends a small frame; an agent that cannot take it will see the socket close. */
static void tell(enum frame_type type, const char *payload, uint32_t length) {
  char frame[256];
  memcpy(put_u32(put_u32(frame, type), length), payload, length);
  if (agent >= 0) send(agent, frame, 8 + length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/*
 * Gives up on the agent in the middle of a call. After CAUSE_OUTPUT the agent is well and the open socket
 * stays its count of local compilers; otherwise it is not relied on any more.
 */
static _Noreturn void leave_agent(enum local_cause cause, const char *reason, const char *detail) {
  char payload[128];
  discard_outputs();
  uint32_t length = (uint32_t)strnlen(detail, sizeof payload - 4);
  memcpy(put_u32(payload, cause), detail, length);
  tell(FRAME_LOCAL, payload, 4 + length);
  run_local(cause == CAUSE_OUTPUT ? SLOT_OF_AGENT : SLOT_BY_LOCK, reason, detail);
}

static void require(bool condition, const char *rule) {
  if (!condition) leave_agent(CAUSE_PROTOCOL, "agent-protocol", rule);
}

/* Dies of the signal that came, as the real compiler would: it is still pending. */
static _Noreturn void die_interrupted(void) {
  char payload[4];
  discard_outputs();
  tell(FRAME_LOCAL, (put_u32(payload, CAUSE_INTERRUPTED), payload), sizeof payload);
  release_signals();
  _exit(130);
}

/* Waits until the socket is ready for `events`; does not return if the agent stalls or the user interrupts. */
static void wait_for_agent(short events) {
  const char *limit = setting("MESHCC_STALL_MS");
  int timeout_ms = limit && number_in(limit) ? number_in(limit) : STALL_MS;
  struct pollfd waiting[] = {{.fd = agent, .events = events}, {.fd = interrupts, .events = POLLIN}};
  for (;;) {
    int ready = poll(waiting, 2, timeout_ms);
    if (ready == 0) leave_agent(CAUSE_STALLED, "agent-stalled", "nothing heard from the agent");
    if (ready < 0 && errno != EINTR) run_local(SLOT_BY_LOCK, "agent-lost", strerror(errno));
    if (ready > 0 && waiting[1].revents && is_interrupted()) die_interrupted();
    if (ready > 0 && waiting[0].revents) return;
  }
}

static void receive(void) {
  ssize_t length;
  do {
    wait_for_agent(POLLIN);
    length = recv(agent, inbox, sizeof inbox, 0);
  } while (length < 0 && (errno == EAGAIN || errno == EINTR));
  if (length <= 0) run_local(SLOT_BY_LOCK, "agent-lost", length ? strerror(errno) : "the agent hung up");
  inbox_at = 0;
  inbox_end = length;
}

/* Up to `wanted` bytes of what the agent sent; they are valid until the next call. */
static size_t take_some(const char **bytes, size_t wanted) {
  while (inbox_at == inbox_end) receive();
  size_t length = inbox_end - inbox_at < wanted ? inbox_end - inbox_at : wanted;
  *bytes = inbox + inbox_at;
  inbox_at += length;
  return length;
}

static void take(void *to, size_t length) {
  const char *bytes;
  for (size_t done = 0, step; done < length; done += step) {
    step = take_some(&bytes, length - done);
    memcpy((char *)to + done, bytes, step);
  }
}

static uint32_t take_u32(void) {
  uint32_t value;
  take(&value, sizeof value);
  return le32toh(value);
}

/* Text of a frame, followed by two NULs that are not part of it. */
static char *take_text(uint32_t length) {
  require(length <= MAX_TEXT_BYTES, "a text is too long");
  char *text = allocate(NULL, length + 2);
  take(text, length);
  text[length] = text[length + 1] = 0;
  return text;
}

static void send_request(void) {
  const struct request call = {compiler_path, name, argument_count, arguments + 1};
  size_t size_bytes;
  char *frame = make_request(&call, FRAME_REQUEST, PROTOCOL_VERSION, &size_bytes);
  if (!frame) leave_agent(CAUSE_PROTOCOL, "shim-memory", strerror(ENOMEM));
  for (size_t sent = 0; sent < size_bytes;) {
    ssize_t step = send(agent, frame + sent, size_bytes - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (step > 0) sent += step;
    else if (errno == EAGAIN) wait_for_agent(POLLOUT);
    else if (errno != EINTR) run_local(SLOT_BY_LOCK, "agent-lost", strerror(errno));
  }
  free(frame);
}

static void begin_output(uint32_t length) {
  uint64_t size_bytes;
  require(length > 12, "an output has no name");
  require(take_u32() == output_count && output_count < MAX_OUTPUTS, "outputs must be numbered from 0");
  take(&size_bytes, sizeof size_bytes);
  char *final_path = take_text(length - 12);
  char *temporary_path = final_path + strlen(final_path) + 1;
  require(final_path[0] == '/' && temporary_path[0] == '/', "an output's path must be absolute");
  if (!hold_signals()) leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
  struct output *output = &outputs[output_count];
  *output = (struct output){.size_bytes = le64toh(size_bytes), .final_path = final_path};
  output->temporary_path = temporary_path;
  if (!open_output(output)) leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
  output_count++;
}

static void write_output(uint32_t length) {
  require(length >= 4, "output data has no number");
  uint32_t index = take_u32();
  require(index < output_count, "data of an output that was not begun");
  struct output *output = &outputs[index];
  require(length - 4 <= output->size_bytes - output->written_bytes, "more data than announced");
  const char *bytes;
  for (size_t left = length - 4, step; left; left -= step) {
    step = take_some(&bytes, left);
    if (!write_all(output->fd, bytes, step)) leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
    output->written_bytes += step;
  }
}

static void hold_text(struct text *held, uint32_t length) {
  require(length <= MAX_DIAGNOSTIC_BYTES - held->length, "too much text for standard output or error");
  if (held->length + length > held->capacity) {
    held->capacity = 2 * (held->length + length);
    held->bytes = allocate(held->bytes, held->capacity);
  }
  take(held->bytes + held->length, length);
  held->length += length;
}

/*
 * Prints what the compiler printed. A reader that is gone, or a limit on the file, kills a compiler before it
 * makes its outputs, so that the real one has to meet it; after any other failure a compiler goes on without.
 */
static void print(int fd, const struct text *held) {
  if (held->length && !hold_signals()) leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
  for (size_t done = 0; done < held->length;) {
    struct pollfd waiting[] = {{.fd = fd, .events = POLLOUT}, {.fd = interrupts, .events = POLLIN}};
    int ready;
    do ready = poll(waiting, 2, -1);
    while (ready < 0 && errno == EINTR);
    if (waiting[1].revents && is_interrupted()) die_interrupted();
    if (ready > 0 && !waiting[0].revents) continue;
    size_t length = held->length - done < PIPE_BUF ? held->length - done : PIPE_BUF; /* so much does not block */
    ssize_t written = write(fd, held->bytes + done, length);
    if (written >= 0) done += written;
    else if (errno == EPIPE || errno == EFBIG) leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
    else if (errno != EAGAIN && errno != EINTR) return;
  }
}

static _Noreturn void commit(uint32_t status) {
  require(status <= 255, "an exit status is above 255");
  for (uint32_t i = 0; i < output_count; i++) {
    require(outputs[i].written_bytes == outputs[i].size_bytes, "less data than announced");
    if (!can_replace(outputs[i].final_path))
      leave_agent(CAUSE_OUTPUT, "output-not-regular", outputs[i].final_path);
  }
  for (uint32_t i = 0; i < output_count; i++)
    if (!is_written(outputs[i].fd)) leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
  print(STDOUT_FILENO, &held_stdout);
  print(STDERR_FILENO, &held_stderr);
  for (uint32_t i = 0; i < output_count; i++)
    if (!put_in_place(&outputs[i]))
      leave_agent(CAUSE_OUTPUT, "output-write-failed", strerror(errno));
  output_count = 0;
  tell(FRAME_COMMITTED, "", 0);
  release_signals();
  _exit((int)status);
}

static _Noreturn void follow_agent(void) {
  for (;;) {
    uint32_t type = take_u32(), length = take_u32();
    if (type == FRAME_OUTPUT_BEGIN) begin_output(length);
    else if (type == FRAME_OUTPUT_DATA) write_output(length);
    else if (type == FRAME_STDOUT) hold_text(&held_stdout, length);
    else if (type == FRAME_STDERR) hold_text(&held_stderr, length);
    else if (type == FRAME_DISCARD && length == 0) discard_outputs();
    else if (type == FRAME_COMMIT && length == 4) commit(take_u32());
    else if (type == FRAME_RUN_LOCAL) {
      const char *reason = take_text(length);
      run_local(SLOT_OF_AGENT, reason, reason + strlen(reason) + 1);
    } else require(type == FRAME_ACCEPTED && length == 0, "a frame of unknown type or of wrong length");
  }
}

int main(int argc, char **argv) {
  if (argc < 1) return 127;
  const char *called = base_name(argv[0]);
  bool is_wrapper = strcmp(called, "meshcc") == 0 || strcmp(called, "meshcc-shim") == 0;
  if (is_wrapper && (argc < 2 || !is_compiler_name(base_name(argv[1])))) run_other(called, argc, argv);
  arguments = argv + is_wrapper;
  argument_count = argc - 1 - is_wrapper;
  name = base_name(arguments[0]);
  if (!getcwd(cwd, sizeof cwd)) cwd[0] = 0;

  const char *guard = setting("MESHCC_RECURSION");
  const char *previous = guard && strcmp(base_name(guard), name) == 0 ? guard : NULL;
  struct stat named;
  bool is_path = is_wrapper && strchr(arguments[0], '/');
  if (is_path && stat(arguments[0], &named) == 0 && is_shim(arguments[0], &named)) is_path = false;
  const char *given = is_path ? absolute(arguments[0]) : NULL;
  compiler_path = given ? given : is_path ? arguments[0] : find_compiler(name, previous);
  if (!compiler_path) fail(name, "no such compiler in PATH", 127);

  if (guard || is_query(argument_count, arguments + 1)) become_compiler();
  if (is_on("MESHCC_DISABLE")) run_local(NO_SLOT, "disabled", "MESHCC_DISABLE is set");
  if (!cwd[0]) run_local(NO_SLOT, "no-cwd", "the working directory cannot be told");
  struct agent_link found = connect_agent();
  agent = found.socket;
  directory = found.directory;
  if (agent < 0) run_local(SLOT_BY_LOCK, found.reason, found.detail);
  send_request();
  follow_agent();
}
