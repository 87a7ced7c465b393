/** Says in words why two toolchains are not the same one. */
import { basename } from 'node:path';
import { type ComponentRole, type ToolchainFacts, toolchainIdOf } from './toolchain.ts';

/** Digits of a digest that a person can compare. */
const SHOWN_DIGITS = 12;

/** What the two sides are called. */
export type SideNames = readonly [a: string, b: string];

const UNNAMED: SideNames = ['the first', 'the second'];

/**
 * What sets `a` and `b` apart, the most telling thing first, e.g. `version 12.2.0 and 11.3.0` or
 * `same version, another cc1 (0123456789ab and ba9876543210); only board2 has the specs file specs`.
 */
export function describeDifference(a: ToolchainFacts, b: ToolchainFacts, names: SideNames = UNNAMED): string {
  if (toolchainIdOf(a) === toolchainIdOf(b)) return 'no difference';
  if (a.dialect !== b.dialect) return `${a.dialect} and ${b.dialect}`;
  const plain = [
    ...pair('target', a.targetTriple, b.targetTriple),
    ...pair('driver for', languageOf(a), languageOf(b)),
    ...pair('version', a.version, b.version),
  ];
  if (plain.length > 0) return plain.join(', ');
  const details = componentDifferences(a, b, names);
  if (a.specsDigest !== b.specsDigest) details.push('other built-in specs');
  return `same version, ${details.join('; ')}`;
}

/** How many components are not the same on both sides: the fewer, the nearer two toolchains of one version are. */
export function countDifferences(a: ToolchainFacts, b: ToolchainFacts): number {
  return componentDifferences(a, b, UNNAMED).length;
}

function pair(what: string, a: string, b: string): string[] {
  return a === b ? [] : [`${what} ${a} and ${b}`];
}

function languageOf(facts: ToolchainFacts): string {
  return facts.driver === 'c' ? 'C' : 'C++';
}

function componentDifferences(a: ToolchainFacts, b: ToolchainFacts, [nameOfA, nameOfB]: SideNames): string[] {
  const left = byName(a);
  const right = byName(b);
  return [...new Set([...left.keys(), ...right.keys()])].flatMap((name) => {
    const [one, other] = [left.get(name), right.get(name)];
    if (one === other) return [];
    if (one === undefined) return [`only ${nameOfB} has ${withArticle(name)}`];
    if (other === undefined) return [`only ${nameOfA} has ${withArticle(name)}`];
    return [`another ${name} (${one.slice(0, SHOWN_DIGITS)} and ${other.slice(0, SHOWN_DIGITS)})`];
  });
}

function withArticle(name: string): string {
  return name.includes(' ') ? `the ${name}` : name;
}

/** Digests by a name that means the same on both sides: there is one of most roles, but several libraries. */
function byName(facts: ToolchainFacts): Map<string, string> {
  const names: Partial<Record<ComponentRole, (path: string) => string>> = {
    library: (path) => basename(path),
    resource: (path) => `file ${basename(path)}`,
    specs: (path) => `specs file ${basename(path)}`,
    config: (path) => `configuration file ${basename(path)}`,
  };
  return new Map(
    facts.components.map(({ role, path, digest }) => [names[role]?.(path) ?? role, digest] as const),
  );
}
