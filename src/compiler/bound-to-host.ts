/**
 * Which calls a compiler that was built to run on another processor architecture may not do in the place of this
 * machine's: those whose output is known to depend on the host, and those that no second compile here can be held
 * against.
 */
import type { Invocation, InvocationArg } from './invocation.ts';
import { OPTION_INDEX } from './option-index.ts';
import type { Dialect } from './option-row.ts';
import { canMoveOutputs } from './reference-arguments.ts';

/** Options whose output depends on what the compiler itself runs on. */
export const HOST_BOUND_OPTIONS: readonly { readonly name: RegExp; readonly why: string }[] = [
  {
    // GCC 12 for arm64, once built for i386 and once for x86-64: of seven equal objects, three have other bytecode.
    name: /^-flto/,
    why: 'link-time optimisation leaves code in a form that depends on what the compiler runs on',
  },
  {
    // What is offloaded is kept as link-time bytecode (GCC with an offload target, as Debian's).
    name: /^-f(?:openmp$|openacc|offload)/,
    why: 'code for accelerators is left in a form that depends on what the compiler runs on',
  },
  {
    name: /^(?:-gz|--compress-debug-sections)/,
    why: 'compressed debug information depends on the zlib of the machine',
  },
];

/** True for a set of options whose objects say nothing about other units. */
export function hasHostBoundOption(names: readonly string[]): boolean {
  return names.some((name) => HOST_BOUND_OPTIONS.some((option) => option.name.test(name)));
}

/**
 * Why a call is done only by compilers with the same programs, in words that follow the name of a node.
 * @returns undefined if one of another host architecture may do it
 */
export function boundToHost(invocation: Invocation, dialect: Dialect): string | undefined {
  const { args, nativeOptions, outputPath, outputs } = invocation;
  const bound = HOST_BOUND_OPTIONS.find(({ name }) => namesOf(args).some((given) => name.test(given)));
  if (bound !== undefined) return bound.why;
  if (nativeOptions.length > 0) return 'the code is fitted to the processor of this machine';
  if (outputs.some(({ path, kind }) => path === outputPath && kind !== 'object'))
    return 'only objects were compared between the two hosts';
  if (!canMoveOutputs(invocation, dialect)) return 'no second compile here could show that it is right';
  return undefined;
}

/** True if options of a call may change which directories of its own the compiler searches for headers. */
export function mayMoveSearch({ args }: Invocation, dialect: Dialect): boolean {
  return args.some(({ name, form }) => {
    const row = form === 'source' ? undefined : OPTION_INDEX[dialect].row(name);
    return row?.searchPath === true && row.effect !== 'search-dir';
  });
}

/** Also of the options that are handed on to the assembler. */
function namesOf(args: readonly InvocationArg[]): string[] {
  return args.flatMap(({ name, form, value, list }) => {
    if (form === 'list') return namesOf(list);
    if (name === '-Xassembler') return [value];
    return [form === 'joined' ? `${name}${value}` : name];
  });
}
