/*
 * Signals while there are temporary files: an interruption is held back until they are removed, and the two that
 * the kernel sends to a writer become errors of write(), which lead to the real compiler. Part of meshcc-shim.c.
 */
#ifndef MESHCC_HELD_SIGNALS_H
#define MESHCC_HELD_SIGNALS_H

static const int INTERRUPTIONS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int SIGNALS_TO_WRITERS[] = {SIGPIPE, SIGXFSZ};

enum {
  INTERRUPTION_COUNT = sizeof INTERRUPTIONS / sizeof *INTERRUPTIONS,
  TO_WRITERS_COUNT = sizeof SIGNALS_TO_WRITERS / sizeof *SIGNALS_TO_WRITERS,
  SIGNALFD_FLAGS = SFD_CLOEXEC | SFD_NONBLOCK,
};

static int interrupts = -1; /* signalfd; open while signals are held */
static sigset_t original_mask, watched;

static void add_signals(sigset_t *set, const int *signals, size_t count) {
  for (size_t i = 0; i < count; i++) sigaddset(set, signals[i]);
}

/*
 * False with errno if the kernel refuses. Until release_signals(), `interrupts` tells of what may be an
 * interruption; is_interrupted() knows.
 */
static bool hold_signals(void) {
  sigset_t held;
  if (interrupts >= 0) return true;
  sigemptyset(&held);
  add_signals(&held, INTERRUPTIONS, INTERRUPTION_COUNT);
  add_signals(&held, SIGNALS_TO_WRITERS, TO_WRITERS_COUNT);
  sigprocmask(SIG_BLOCK, &held, &original_mask);
  sigemptyset(&watched);
  for (size_t i = 0; i < INTERRUPTION_COUNT; i++)
    if (!sigismember(&original_mask, INTERRUPTIONS[i])) sigaddset(&watched, INTERRUPTIONS[i]);
  interrupts = signalfd(-1, &watched, SIGNALFD_FLAGS);
  if (interrupts >= 0) return true;
  int problem = errno;
  sigprocmask(SIG_SETMASK, &original_mask, NULL);
  errno = problem;
  return false;
}

/*
 * True if the signal that `interrupts` tells of takes effect. One that is ignored is pending as well while it is
 * blocked; only now that one has come is it asked which are ignored, and those are not told of again.
 */
static bool is_interrupted(void) {
  struct pollfd signals = {.fd = interrupts, .events = POLLIN};
  for (size_t i = 0; i < INTERRUPTION_COUNT; i++) {
    struct sigaction action;
    if (sigaction(INTERRUPTIONS[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN)
      sigdelset(&watched, INTERRUPTIONS[i]);
  }
  signalfd(interrupts, &watched, SIGNALFD_FLAGS);
  return poll(&signals, 1, 0) > 0;
}

/* A write that failed with EPIPE or EFBIG has left its signal behind: takes it away. */
static void forget_signals_to_writers(void) {
  static const struct timespec AT_ONCE = {0};
  sigset_t left;
  if (interrupts < 0) return;
  sigemptyset(&left);
  add_signals(&left, SIGNALS_TO_WRITERS, TO_WRITERS_COUNT);
  while (sigtimedwait(&left, NULL, &AT_ONCE) > 0 || errno == EINTR) continue;
}

/* An interruption that was held back takes effect here, at the latest. `interrupts` closes itself on exec. */
static void release_signals(void) {
  if (interrupts >= 0) sigprocmask(SIG_SETMASK, &original_mask, NULL);
  interrupts = -1;
}

#endif
