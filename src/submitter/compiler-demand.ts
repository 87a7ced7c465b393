/** Which compiler a job asks nodes for: the very one, or one of another host architecture in its place. */
import { boundToHost, type Invocation, mayMoveSearch } from '../compiler/index.ts';
import type { Toolchain } from '../toolchain/index.ts';

export interface CompilerDemand {
  readonly toolchainId: string;
  /** Undefined: only the very compiler will do. */
  readonly otherHost?: OtherHostDemand | undefined;
}

/** What is asked for besides, if the owner has allowed it. */
export interface OtherHostDemand {
  /** The compiler at its path: what a worker was tried for. */
  readonly key: string;
  /** Why this job does not go to such a node, in words; undefined if it may. */
  readonly obstacle: string | undefined;
  /** The same for one that is told where to look for headers, because it would look elsewhere by itself. */
  readonly searchObstacle: string | undefined;
}

/** Under this name a compiler at its path is tried on nodes of other host architectures. */
export function otherHostKey({ id, compilerPath }: Pick<Toolchain, 'id' | 'compilerPath'>): string {
  return `${id}\0${compilerPath}`;
}

/** What a call may use besides its very compiler. */
export function otherHostDemand(invocation: Invocation, toolchain: Toolchain): OtherHostDemand {
  const { dialect } = toolchain;
  const searchObstacle = mayMoveSearch(invocation, dialect)
    ? 'its compiler has other directories for headers, and options of the call may move these'
    : undefined;
  return { key: otherHostKey(toolchain), obstacle: boundToHost(invocation, dialect), searchObstacle };
}

/** What a job asks for. */
export function demandOf({
  toolchain,
  otherHost,
}: {
  readonly toolchain: Pick<Toolchain, 'id'>;
  readonly otherHost?: OtherHostDemand | undefined;
}): CompilerDemand {
  return { toolchainId: toolchain.id, otherHost };
}

/** A compiler of a worker that does a job, as far as it is believed or not. */
export interface ServingCompiler {
  /** Under which its standing is kept: this machine's id, and with another host the worker's as well. */
  readonly toolchainId: string;
  readonly isOtherHost: boolean;
}

const MARK = '+';

/** @param theirId of the worker's compiler, if that is one of another host in the place of this machine's */
export function servingCompiler(ownId: string, theirId?: string): ServingCompiler {
  if (theirId === undefined) return { toolchainId: ownId, isOtherHost: false };
  return { toolchainId: `${ownId}${MARK}${theirId}`, isOtherHost: true };
}

/** This machine's id of a compiler whose standing is kept under `toolchainId`. */
export function ownIdOf(toolchainId: string): string {
  return toolchainId.split(MARK)[0] ?? toolchainId;
}
