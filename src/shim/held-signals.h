/*
 * Signals while there are temporary files: an interruption is held back until they are removed, and the two that
 * the kernel sends to a writer become errors of write(), which lead to the real compiler. Part of meshcc-shim.c.
 */
#ifndef MESHCC_HELD_SIGNALS_H
#define MESHCC_HELD_SIGNALS_H

static int interrupts = -1; /* signalfd; open while signals are held */
static sigset_t original_mask;
static struct sigaction original_xfsz, original_pipe;

/* False with errno if the kernel refuses. Until release_signals(), `interrupts` tells of an interruption. */
static bool hold_signals(void) {
  static const int SIGNALS[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  const struct sigaction ignore = {.sa_handler = SIG_IGN};
  struct sigaction action;
  sigset_t held;
  if (interrupts >= 0) return true;
  sigprocmask(SIG_SETMASK, NULL, &original_mask);
  sigemptyset(&held);
  for (size_t i = 0; i < sizeof SIGNALS / sizeof *SIGNALS; i++) {
    sigaction(SIGNALS[i], NULL, &action);
    bool takes_effect = action.sa_handler != SIG_IGN && !sigismember(&original_mask, SIGNALS[i]);
    if (takes_effect) sigaddset(&held, SIGNALS[i]);
  }
  interrupts = signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
  if (interrupts < 0) return false;
  sigprocmask(SIG_BLOCK, &held, NULL);
  sigaction(SIGXFSZ, &ignore, &original_xfsz);
  sigaction(SIGPIPE, &ignore, &original_pipe);
  return true;
}

/* An interruption that was held back takes effect here, at the latest. */
static void release_signals(void) {
  if (interrupts < 0) return;
  sigaction(SIGXFSZ, &original_xfsz, NULL);
  sigaction(SIGPIPE, &original_pipe, NULL);
  sigprocmask(SIG_SETMASK, &original_mask, NULL);
  close(interrupts);
  interrupts = -1;
}

#endif
