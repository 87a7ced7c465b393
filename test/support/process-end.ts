/** What a test helper needs to leave nothing behind, also from an exit handler, where nothing asynchronous runs. */

/** Sleeps without the event loop. */
export function pauseSync(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

/** SIGKILL for a process that may be gone already. */
export function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it is gone
  }
}

/** Runs `cleanUp` once: when the returned function is called, or when the process ends by itself or by a signal. */
export function onProcessEnd(cleanUp: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let done = false;
  const once = (): void => {
    if (done) return;
    done = true;
    process.off('exit', once);
    for (const signal of signals) process.off(signal, die);
    cleanUp();
  };
  const die = (signal: NodeJS.Signals): void => {
    once();
    // Our handler is off now, so the signal does what it would have done without us.
    process.kill(process.pid, signal);
  };
  process.on('exit', once);
  for (const signal of signals) process.on(signal, die);
  return once;
}
