/** A job as it came over the wire, checked by this worker's own tables before anything is done with it. */
import { isDeepStrictEqual } from 'node:util';
import {
  ARG_FORMS,
  type ArgForm,
  type Invocation,
  type InvocationArg,
  invocationFromArgs,
  isCompilerName,
  isProcessorWords,
  validateForwarded,
  validateInvocation,
} from '../compiler/index.ts';
import type { WireArgument, WireJob } from '../mesh/index.ts';
import type { Toolchain } from '../toolchain/index.ts';
import { viewPathProblem } from './view-paths.ts';

export type RequestCheck =
  | { readonly kind: 'accepted'; readonly invocation: Invocation }
  | { readonly kind: 'refused'; readonly reason: string };

/** `-Wp,` and its like hold plain options; nothing nests deeper. */
const MAX_LIST_DEPTH = 2;
const MAX_ARGUMENTS = 65_536;

/** Derives the invocation again from the typed arguments, and refuses what this worker would not run. */
export function checkRequest(job: WireJob, toolchain: Toolchain, compilerName: string): RequestCheck {
  const refuse = (reason: string): RequestCheck => ({ kind: 'refused', reason });
  const directoryProblem = viewPathProblem(job.workingDirectory);
  if (directoryProblem !== undefined) return refuse(`the working directory ${directoryProblem}`);
  const environment = validateForwarded(job.environment);
  if (!environment.ok) return refuse(environment.why);
  if (job.umask > 0o777) return refuse('the umask is none');
  if (isCompilerName(compilerName)?.driver !== toolchain.driver) {
    return refuse(`${compilerName} is no name of a ${toolchain.driver} compiler`);
  }
  if (job.arguments.length > MAX_ARGUMENTS) return refuse('too many arguments');
  const args = decodeArguments(job.arguments, 0);
  if (args === undefined) return refuse('an argument has no known form');
  const derived = invocationFromArgs(args, toolchain.dialect, compilerName);
  if (!derived.ok) return refuse(`${derived.reason}: ${derived.detail}`);
  const validation = validateInvocation(derived.invocation, toolchain.dialect, compilerName);
  if (!validation.ok) return refuse(validation.why);
  const { invocation } = derived;
  if (!toolchain.languages.includes(invocation.language)) {
    return refuse(`this toolchain is not offered for ${invocation.language}`);
  }
  const processor = processorProblem(job, invocation);
  if (processor !== undefined) return refuse(processor);
  const claimed = job.outputs.map(({ kind, path, required }) => ({ kind, path, required }));
  if (
    !isDeepStrictEqual(
      claimed,
      invocation.outputs.map(({ kind, path, required }) => ({ kind, path, required })),
    )
  ) {
    return refuse('the outputs do not follow from the arguments');
  }
  return { kind: 'accepted', invocation };
}

/** The words go into a specs file, so nothing may be among them that means more than a processor. */
function processorProblem({ processor }: WireJob, { nativeOptions }: Invocation): string | undefined {
  if (nativeOptions.length === 0)
    return processor.length === 0 ? undefined : 'no option asks for a processor';
  return isProcessorWords(processor) ? undefined : 'the processor is described in an unknown way';
}

function decodeArguments(wire: readonly WireArgument[], depth: number): InvocationArg[] | undefined {
  if (depth >= MAX_LIST_DEPTH && wire.length > 0) return undefined;
  const args: InvocationArg[] = [];
  for (const { name, form, value, list } of wire) {
    const inner = decodeArguments(list, depth + 1);
    if (inner === undefined || !isArgForm(form)) return undefined;
    args.push({ name, form, value, list: inner });
  }
  return args;
}

function isArgForm(form: string): form is ArgForm {
  return (ARG_FORMS as readonly string[]).includes(form);
}
