/** For units whose inputs the compiler listed: what its list does not show. */
import type { LocalReasonId } from '../compiler/index.ts';
import type { FileScan } from './directive-scan.ts';
import { TRAIT_REASONS, withWholes } from './scan-traits.ts';

/**
 * Why the text of some files that are read together makes a list of included headers insufficient, or undefined if it
 * does not. Ask with each file, and with the sum of the traits of all.
 * @param traits of the file and of those before it
 */
export function asksBeyondIncludes(scan: FileScan, traits: number = scan.traits): LocalReasonId | undefined {
  if (scan.questions.length > 0 || scan.computedQuestions.length > 0) return 'computed-has-include';
  if (scan.embedded.length > 0) return 'incbin';
  const all = withWholes(traits);
  return TRAIT_REASONS.find(({ bit }) => (all & bit) !== 0)?.reason;
}
