/** Waiting for a state that nobody announces. */

/**
 * Asks again and again until the answer is not undefined.
 * @param what for the error, e.g. `two nodes connected`
 * @throws Error if that takes longer than `limitMs`
 */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadlineMs = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > deadlineMs) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await pause(25);
  }
}

/** Like {@link until} for a condition. */
export async function untilTrue(
  what: string,
  limitMs: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  await until(what, limitMs, async () => ((await condition()) ? true : undefined));
}

export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** False if the promise has not settled after `limitMs`; nothing waits for the time to pass if it has. */
export async function settlesWithin(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([promise.then(() => true as const), late]);
  } finally {
    clearTimeout(timer);
  }
}
