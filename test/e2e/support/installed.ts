/** Which programs this machine has, for cases that need more than a plain GCC. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** Where agents and builds of the tests look for compilers. */
const PLACES = ['/usr/bin', '/bin'];

/** What to tell the test runner: false if all programs are installed, else why the test is skipped. */
export function skipWithout(...programs: readonly string[]): string | false {
  const missing = programs.find((program) => !PLACES.some((place) => existsSync(join(place, program))));
  return missing === undefined ? false : `${missing} is not installed`;
}
