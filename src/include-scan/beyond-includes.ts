/** For units whose inputs the compiler listed: what its list does not show. */
import type { LocalReasonId } from '../compiler/index.ts';
import type { FileScan } from './directive-scan.ts';
import { TRAIT_REASONS } from './scan-traits.ts';

/** Why a file's text makes a list of included headers insufficient, or undefined if it does not. */
export function asksBeyondIncludes(scan: FileScan): LocalReasonId | undefined {
  if (scan.questions.length > 0 || scan.computedQuestions.length > 0) return 'computed-has-include';
  return TRAIT_REASONS.find(({ bit }) => (scan.traits & bit) !== 0)?.reason;
}
