/**
 * What a worker asks of an invocation before it touches anything: its arguments must survive being rendered
 * and parsed again by the worker's own table, and everything derived from them must be what was claimed.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Invocation } from './invocation.ts';
import { invocationFromArgs } from './invocation-from-args.ts';
import type { Dialect } from './option-row.ts';
import { parseArguments } from './parse-arguments.ts';
import { renderArguments } from './render-arguments.ts';

/** The verdict of a validation. */
export type Validation = { readonly ok: true } | { readonly ok: false; readonly why: string };

const FIELDS = [
  'language',
  'sourcePath',
  'outputPath',
  'outputs',
  'depfile',
  'includeDirectories',
  'choosesColor',
  'dataFiles',
  'profile',
  'assemblerDirectories',
  'nativeOptions',
  'usesOwnAssembler',
  'isRepeatable',
] as const satisfies readonly (keyof Invocation)[];

/**
 * Checks a decoded invocation. Rendering first means that an argument cannot be presented as one thing and
 * be another to the compiler: the argv that will run is the argv that is parsed here.
 * @param compilerName basename of the driver that the worker will run
 */
export function validateInvocation(
  invocation: Invocation,
  dialect: Dialect,
  compilerName: string,
): Validation {
  const parsed = parseArguments(renderArguments(invocation.args), dialect);
  const [finding] = parsed.findings;
  if (finding !== undefined) return { ok: false, why: `${finding.reason}: ${finding.detail}` };
  if (!isDeepStrictEqual(parsed.args, invocation.args))
    return { ok: false, why: 'the arguments read differently than they were sent' };
  const derivation = invocationFromArgs(parsed.args, dialect, compilerName);
  if (!derivation.ok) return { ok: false, why: `${derivation.reason}: ${derivation.detail}` };
  for (const field of FIELDS) {
    if (!isDeepStrictEqual(derivation.invocation[field], invocation[field]))
      return { ok: false, why: `${field} does not follow from the arguments` };
  }
  return { ok: true };
}
