/** Holds a compiler of this machine against those that another node offers: which one is it, or the nearest to it. */
import type { LanguageScope } from '../compiler/index.ts';
import { countDifferences, describeDifference } from './describe-difference.ts';
import { type Toolchain, type ToolchainFacts, toolchainIdOf } from './toolchain.ts';

/** A compiler of another node, as that node describes it. It serves to tell people; only the id decides about jobs. */
export interface OfferedToolchain extends ToolchainFacts {
  readonly id: string;
  /** Undefined if the node does not tell, or tells one that is unknown here. */
  readonly scope: LanguageScope | undefined;
  /** What its programs run on, e.g. `aarch64`; empty if the node does not tell. */
  readonly host: string;
  /** Its path there; empty if the node does not tell. */
  readonly name: string;
  /** Its version in its own words; empty if the node does not tell. */
  readonly versionText: string;
}

/** What of a compiler of this machine is held against others. */
export type OwnToolchain = Pick<
  Toolchain,
  | 'id'
  | 'dialect'
  | 'driver'
  | 'version'
  | 'targetTriple'
  | 'specsDigest'
  | 'components'
  | 'scope'
  | 'host'
  | 'compilerPath'
>;

/** How a node stands to a compiler of this machine. */
export type ToolchainMatch =
  /** It has the very same one. */
  | { readonly kind: 'same'; readonly theirs: OfferedToolchain }
  /** It has one of the same version for the same target, of other content, or built to run on another architecture. */
  | {
      readonly kind: 'other content' | 'other host';
      readonly theirs: OfferedToolchain;
      readonly why: string;
    }
  | { readonly kind: 'other version'; readonly theirs: OfferedToolchain; readonly why: string }
  /** It has none for the same target and language. */
  | { readonly kind: 'absent' };

/**
 * The compiler among `offered` that is `own`, or is nearest to it.
 * @param nodeName what the other node is called in the words of the answer
 */
export function matchToolchain(
  own: OwnToolchain,
  offered: readonly OfferedToolchain[],
  nodeName: string,
): ToolchainMatch {
  const same = offered.find(({ id }) => id === own.id);
  if (same !== undefined) return { kind: 'same', theirs: same };
  const [theirs] = offered
    .filter((other) => isComparable(own, other))
    .sort((a, b) => distance(own, a) - distance(own, b));
  if (theirs === undefined) return { kind: 'absent' };
  if (theirs.version !== own.version)
    return { kind: 'other version', theirs, why: `version ${own.version} here, ${theirs.version} there` };
  if (theirs.host !== '' && theirs.host !== own.host) {
    const why = `same version, but it runs on ${theirs.host} there and on ${own.host} here, so its programs cannot be equal`;
    return { kind: 'other host', theirs, why };
  }
  return { kind: 'other content', theirs, why: contentDifference(own, theirs, nodeName) };
}

function isComparable(own: OwnToolchain, other: OfferedToolchain): boolean {
  return (
    other.dialect === own.dialect &&
    other.driver === own.driver &&
    other.targetTriple === own.targetTriple &&
    (other.scope === undefined || other.scope === own.scope)
  );
}

/** Another version is farther than another host, and that farther than any number of other files. */
function distance(own: OwnToolchain, other: OfferedToolchain): number {
  if (other.version !== own.version) return 1e9;
  return (other.host === own.host ? 0 : 1e6) + countDifferences(own, other);
}

function contentDifference(own: OwnToolchain, theirs: OfferedToolchain, nodeName: string): string {
  if (theirs.components.length === 0)
    return `same version, other content; ${nodeName} does not tell what it consists of`;
  if (toolchainIdOf(theirs) !== theirs.id)
    return `same version, other content; what ${nodeName} tells of it does not fit its id`;
  return describeDifference(own, theirs, ['this machine', nodeName]);
}

/**
 * In one sentence why a node cannot serve a compiler, e.g. `board2's gcc 12.2.0 differs from this one: …`.
 * @returns undefined if it can
 */
export function mismatchInWords(
  own: OwnToolchain,
  offered: readonly OfferedToolchain[],
  nodeName: string,
): string | undefined {
  const match = matchToolchain(own, offered, nodeName);
  if (match.kind === 'same') return undefined;
  if (match.kind === 'absent') {
    const what = `${own.dialect} for ${own.targetTriple} (${own.scope})`;
    return `${nodeName} has no ${what}`;
  }
  const { theirs, why } = match;
  const name = theirs.name === '' ? theirs.dialect : theirs.name;
  return `${nodeName}'s ${name} ${theirs.version} (${own.scope}) differs from ${own.compilerPath} here: ${why}`;
}
