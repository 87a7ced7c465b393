/** The shape of an equality case, and short ways to write many alike ones. */

export interface EqualityCase {
  readonly name: string;
  /** A name in PATH; default gcc. The case is skipped where there is no such program. */
  readonly compiler?: string;
  readonly args: readonly string[];
  /** Relative to the case's directory. */
  readonly cwd?: string;
  /** Files that the call must leave, relative to the case's directory. */
  readonly outputs: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Another program that must be there. */
  readonly needs?: string;
  /** Set where the call may be compiled here, with the reason why that is accepted. */
  readonly mayBeLocal?: string;
}

/** Writes a case: arguments and outputs are separated by single spaces. */
export type CaseWriter = (
  name: string,
  args: string,
  outputs: string,
  more?: Partial<EqualityCase>,
) => EqualityCase;

/** Cases of one compiler. */
export function casesOf(compiler: string): CaseWriter {
  return (name, args, outputs, more = {}) => ({
    name,
    compiler,
    args: args.split(' '),
    outputs: outputs.split(' '),
    ...more,
  });
}
