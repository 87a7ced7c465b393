/** Option values that count something. */
import { InvalidArgumentError } from 'commander';

/**
 * Reads a whole number of at least 1.
 * @throws InvalidArgumentError, which becomes an error of the command line
 */
export function positiveNumber(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number of at least 1.');
  return Number(text);
}
