/**
 * Resolves a path the way the kernel does, and notes everything that the resolution touched: to show a
 * compiler the same file under the same spelled path on another node, each directory and symbolic link on
 * the way must be there too (`a/../b.h` needs `a`, and means something else if `a` is a link).
 */

/** What lies at a canonical path. */
export type PathNode =
  | { readonly kind: 'directory' }
  | { readonly kind: 'symlink'; readonly target: string }
  | { readonly kind: 'file' }
  | { readonly kind: 'other' };

/** Tells what lies at a canonical absolute path, or undefined if there is nothing. */
export type PathLookup = (canonicalPath: string) => PathNode | undefined;

/** A directory or symbolic link that a resolution went through. */
export interface PathStep {
  readonly path: string;
  readonly node: PathNode & { kind: 'directory' | 'symlink' };
}

/** Where a spelled path leads. */
export interface PathWalk {
  /** Canonical path of what was found, or of the first component that does not exist. */
  readonly canonicalPath: string;
  /** What is there; undefined if the path does not exist. */
  readonly node: PathNode | undefined;
  /** Directories and links passed on the way, root excluded, each before what lies below it. */
  readonly steps: readonly PathStep[];
}

/** As many links as Linux follows (MAXSYMLINKS). */
const MAX_SYMLINKS = 40;

/** Resolves an absolute path. */
export function walkPath(path: string, lookup: PathLookup): PathWalk {
  const pending = path.split('/').reverse();
  const steps: PathStep[] = [];
  let current = '';
  let links = 0;
  let node: PathNode | undefined = { kind: 'directory' };
  while (pending.length > 0) {
    const component = pending.pop() || '.';
    // Also for "x/" and "x/.": the kernel wants a directory before every slash.
    if (node.kind !== 'directory')
      return { canonicalPath: `${current}/${component}`, node: undefined, steps };
    if (component === '.') continue;
    if (component === '..') {
      current = current.slice(0, Math.max(0, current.lastIndexOf('/')));
      continue;
    }
    const next = `${current}/${component}`;
    const found = lookup(next);
    if (found === undefined) return { canonicalPath: next, node: undefined, steps };
    if (found.kind === 'symlink') {
      steps.push({ path: next, node: found });
      if (++links > MAX_SYMLINKS) return { canonicalPath: next, node: undefined, steps };
      if (found.target.startsWith('/')) current = '';
      pending.push(...found.target.split('/').reverse());
      continue;
    }
    if (found.kind === 'directory') steps.push({ path: next, node: found });
    current = next;
    node = found;
  }
  return { canonicalPath: current === '' ? '/' : current, node, steps };
}
