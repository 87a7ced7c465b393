/**
 * Options that make a compile tell what it read, and that bring to light what a scan of the text cannot see for
 * certain: files that assembler text embeds, and the date in an object.
 */
import { profilePaths } from '../compiler/index.ts';
import type { CompileRequest } from './compile.ts';
import type { Mirror } from './mirror.ts';

/** Where the compiler tells what it read if the user did not ask for it; never returned. */
export const OWN_DEPFILE = '/.meshcc-dependencies';

/** Where the assembler tells what it embedded: no depfile of the compiler shows that. */
export const ASSEMBLER_DEPFILE = '/.meshcc-embedded';

/**
 * The options of one job. GCC records none of them in the object (checked: -g, -gsplit-dwarf, -frecord-gcc-switches).
 * Link-time optimisation would record the later ones, and assembles nothing yet.
 */
export function watchfulOptions(request: CompileRequest, mirror: Mirror): string[] {
  const { job, invocation, toolchain } = request;
  const isGcc = toolchain.toolchain.dialect === 'gcc';
  const options: string[] = [];
  const isPreprocessed = invocation.language !== 'assembler';
  if (invocation.depfile === undefined && isPreprocessed) options.push('-MD', '-MF', OWN_DEPFILE);
  if (isGcc && invocation.args.some(({ name }) => name.startsWith('-flto'))) return options;
  if (isGcc && invocation.outputs.some(({ kind }) => kind === 'object'))
    options.push(`-Wa,--MD,${ASSEMBLER_DEPFILE}`);
  if (!isPreprocessed) return options;
  // Clang heeds SOURCE_DATE_EPOCH since version 16 only.
  const hasFixedClock = job.environment.some((entry) => entry.startsWith('SOURCE_DATE_EPOCH='));
  if (!hasFixedClock || !isGcc) options.push('-Werror=date-time');
  if (countsOf(request).some((path) => mirror.hasFile(mirror.resolve(path))))
    options.push('-Werror=missing-profile');
  return options;
}

/** Where GCC looks for counts of a training run, absolute. */
export function countsOf({ job, invocation }: CompileRequest): string[] {
  if (invocation.profile === undefined) return [];
  const logical = job.environment.find((entry) => entry.startsWith('PWD='))?.slice('PWD='.length);
  const directories = logical === undefined ? [job.workingDirectory] : [job.workingDirectory, logical];
  return profilePaths(invocation.profile, directories);
}
