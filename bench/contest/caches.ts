/** Compiler caches on the laptop: first with an empty cache, then with what that build left. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { plainEnvironment } from '../workloads/index.ts';
import {
  type BuildFacts,
  type Contestant,
  type ContestContext,
  type Session,
  unwrapped,
} from './contestant.ts';

/** PATH with a directory of masquerading names first. */
function masquerading(directory: string, variables: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const plain = plainEnvironment();
  return { ...plain, ...variables, PATH: `${directory}:${plain.PATH ?? ''}` };
}

/** Numbers of a statistics text, one `name   number` a line. */
function statistics(file: string, wanted: RegExp): Record<string, number> {
  const found: Record<string, number> = {};
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, name, value] = /^\s*([A-Za-z][A-Za-z ()/+]*?):?\s+(\d+)\b/.exec(line) ?? [];
    if (name !== undefined && wanted.test(name) && !(name in found)) found[name] = Number(value);
  }
  return found;
}

async function openCcache({ hosts }: ContestContext): Promise<Session> {
  const directory = join(hosts.directoryOf('laptop'), 'ccache');
  mkdirSync(directory);
  const env = masquerading('/usr/lib/ccache', { CCACHE_DIR: directory });
  return {
    ready: async () => {
      await hosts.runToEnd('laptop', 'ccache-zero', ['ccache', '--zero-stats'], { env });
      return { env, wrap: unwrapped };
    },
    facts: async (): Promise<BuildFacts> => {
      const log = await hosts.runToEnd('laptop', 'ccache-stats', ['ccache', '--show-stats', '-v'], { env });
      return { notes: statistics(log, /^(Hits|Direct|Preprocessed|Misses|Uncacheable calls|Uncacheable)$/) };
    },
    close: async () => undefined,
  };
}

/** ccache in its default direct mode. */
export const ccache: Contestant = {
  name: 'ccache',
  legs: [
    { name: 'ccache-cold', title: 'ccache, empty' },
    { name: 'ccache-warm', title: 'ccache, warm' },
  ],
  compilesOn: 'laptop',
  packages: ['ccache'],
  open: openCcache,
};

async function openSccache({ hosts, recording }: ContestContext): Promise<Session> {
  const env = {
    ...recording.standInEnvironment,
    // It does not masquerade: it wants to stand before the compiler.
    BENCH_STAND_IN: 'prefix',
    BENCH_PREFIX: '/usr/bin/sccache',
    SCCACHE_DIR: join(hosts.directoryOf('laptop'), 'sccache'),
    SCCACHE_IDLE_TIMEOUT: '0',
  };
  const tell = (name: string, argument: string): Promise<string> =>
    hosts.runToEnd('laptop', name, ['sccache', argument], { env });
  return {
    ready: async () => {
      await tell('sccache-start', '--start-server');
      return { env, wrap: unwrapped };
    },
    facts: async (): Promise<BuildFacts> => {
      const log = await tell('sccache-stats', '--show-stats');
      await tell('sccache-stop', '--stop-server');
      return {
        notes: statistics(log, /^(Cache hits|Cache misses|Non-cacheable compilations|Cache errors)$/),
      };
    },
    close: async () => undefined,
  };
}

/** sccache with its cache on disk: Debian's has no distributed mode. */
export const sccache: Contestant = {
  name: 'sccache',
  legs: [
    { name: 'sccache-cold', title: 'sccache, empty' },
    { name: 'sccache-warm', title: 'sccache, warm' },
  ],
  compilesOn: 'laptop',
  packages: ['sccache'],
  open: openSccache,
};
