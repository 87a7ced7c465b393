/** A bench step that failed: says what was attempted, what happened, and where to look. */

/** Thrown by everything below bench/; the command lines print its message and exit with 1. */
export class BenchError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'BenchError';
  }
}
