/** A V8 CPU profile, added up by what the agent was doing: by activity, and by file of the project. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';

/** The parts of a `.cpuprofile` that are used. Times are in microseconds. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
    readonly children?: readonly number[];
  }[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

/** One line of a breakdown. */
export interface ProfileRow {
  readonly name: string;
  /** Of the time in which the main thread ran. */
  readonly share: number;
}

/** Where the main thread's time went. Rows are sorted, largest first; shares of each table add up to 1. */
export interface ProfileBreakdown {
  /** Wall time that the main thread was not idle, which is its CPU time unless it waited for a processor. */
  readonly busyMs: number;
  readonly activities: readonly ProfileRow[];
  /** Files of the project and packages; Node's own functions count for whoever called them. */
  readonly files: readonly ProfileRow[];
}

/** The profiler's own switch runs in the agent too. */
const BENCH = pathToFileURL(`${join(PACKAGE_ROOT, 'dist', 'bench')}/`).href;
const PROFILER = 'profiler';

const DIST = pathToFileURL(`${join(PACKAGE_ROOT, 'dist', 'src')}/`).href;

/**
 * What a file of the project, a package or one of Node's modules works at: the first row whose pattern matches.
 * Node's modules count only where no file of the project stands above them in the stack.
 */
const ACTIVITIES: readonly (readonly [RegExp, string])[] = [
  [/^include-scan\/(source-view|tree-|directory-watches|event-|path-stamp|freshness)/, 'freshness'],
  [/^include-scan\//, 'scan'],
  [/^submitter\/(input-set|entry-table)/, 'dictionary'],
  [/^compiler\//, 'arguments'],
  [/^(toolchain\/|submitter\/local-toolchains)/, 'toolchain'],
  [/^(shim\/|submitter\/shim-)/, 'shim: request and write'],
  [/^(mesh\/|package @grpc|package protobufjs|package @protobufjs)/, 'wire'],
  [/^submitter\/(remote-worker|blob-uploader|worker-pool)/, 'wire'],
  [/^node internal\/(fs|watchers)|^node fs/, 'freshness'],
  [/^node .*(http2|tls|crypto)/, 'wire'],
  [/^node .*(net|stream)/, 'sockets and pipes'],
  [/^node[ ,]/, 'event loop of Node'],
  [/^\(garbage collector\)/, 'garbage collector'],
  [/^\(program\)/, 'native code outside JavaScript'],
  [/^(submitter|scheduler|observe|agent|base)\//, 'job bookkeeping'],
];

/** Names an owner: a file of the project without `.js`, `package x`, `node x`, or V8's own `(program)`. */
function ownerOf(url: string, functionName: string): string {
  if (url.startsWith(BENCH)) return PROFILER;
  if (url.startsWith(DIST)) return url.slice(DIST.length).replace(/\.js$/, '');
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (inPackage !== undefined) return `package ${inPackage}`;
  if (url.startsWith('node:')) return `node ${url.slice('node:'.length)}`;
  return functionName.startsWith('(') ? functionName : 'node, native';
}

/** Files of the project, and packages that do a job of their own. All else works for whoever called it. */
const isOwner = (name: string): boolean =>
  !/^(node[ ,]|\(|package )/.test(name) || /^package (@grpc|protobufjs|@protobufjs)/.test(name);

/** What V8 did by itself is nobody's. */
const isOfV8 = (name: string): boolean => /^\((garbage collector|idle|program)\)$/.test(name);

/** For each node of the call tree, who its own time counts for. */
function ownersById(profile: CpuProfile): Map<number, string> {
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  const owners = new Map<number, string>();
  const pending: { id: number; caller?: string }[] = profile.nodes.slice(0, 1).map(({ id }) => ({ id }));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const node = byId.get(next.id);
    if (!node) continue;
    const own = ownerOf(node.callFrame.url, node.callFrame.functionName);
    owners.set(node.id, isOwner(own) || isOfV8(own) ? own : (next.caller ?? own));
    const caller = isOwner(own) ? own : next.caller;
    for (const id of node.children ?? []) pending.push(caller === undefined ? { id } : { id, caller });
  }
  return owners;
}

function rowsOf(timesUs: ReadonlyMap<string, number>, totalUs: number): ProfileRow[] {
  return [...timesUs]
    .map(([name, us]) => ({ name, share: totalUs === 0 ? 0 : us / totalUs }))
    .sort((a, b) => b.share - a.share);
}

/** Owners of time in which the agent did nothing for its own sake. */
const NOT_BUSY: ReadonlySet<string> = new Set(['(idle)', '(root)', PROFILER]);

/** Adds up a profile that was written as JSON. */
export function breakDown(profileFile: string): ProfileBreakdown {
  const profile: CpuProfile = JSON.parse(readFileSync(profileFile, 'utf8'));
  const owners = ownersById(profile);
  const files = new Map<string, number>();
  const activities = new Map<string, number>();
  let busyUs = 0;
  profile.samples.forEach((id, index) => {
    const us = profile.timeDeltas[index] ?? 0;
    const owner = owners.get(id) ?? 'node, native';
    if (NOT_BUSY.has(owner)) return;
    busyUs += us;
    files.set(owner, (files.get(owner) ?? 0) + us);
    const activity = ACTIVITIES.find(([pattern]) => pattern.test(owner))?.[1] ?? 'the rest';
    activities.set(activity, (activities.get(activity) ?? 0) + us);
  });
  return { busyMs: busyUs / 1000, activities: rowsOf(activities, busyUs), files: rowsOf(files, busyUs) };
}
