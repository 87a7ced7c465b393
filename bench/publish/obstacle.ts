/** Which results the pages may show: the prose beside their figures speaks of certain work, contestants and parts. */
import { shortcomings } from '../contest/shortcomings.ts';
import { PARTS } from '../micro/run.ts';
import type { PublishableResult } from './pages.ts';

/** Workloads of contests that are published, and who must have taken part. */
export const PUBLISHED_CONTESTS: Readonly<Record<string, readonly string[]>> = {
  k348: ['local', 'floor', 'distcc', 'pump', 'icecream-rcpp', 'ccache', 'meshcc'],
  small: ['local', 'floor', 'distcc', 'pump', 'icecream', 'icecream-rcpp', 'ccache', 'sccache', 'meshcc'],
};

/** Why a result cannot be what the pages show; undefined if it can. */
export function publicationObstacle(result: PublishableResult): string | undefined {
  switch (result.bench) {
    case 'mesh': {
      const { workload } = result.settings;
      const wanted = PUBLISHED_CONTESTS[workload];
      if (wanted === undefined)
        return `the page shows contests on ${Object.keys(PUBLISHED_CONTESTS).join(' and ')}, not on ${workload}`;
      const missing = wanted.filter((name) => result.runs.every(({ contestant }) => contestant !== name));
      if (missing.length > 0) return `the page speaks of ${missing.join(', ')}, who took no part`;
      return shortcomings(result)[0];
    }
    case 'submitter': {
      if (result.workload !== 'k348') return `the page shows the workload k348, not ${result.workload}`;
      const passes = result.results.flatMap(({ passes, profiled }) => [
        ...passes,
        ...(profiled ? [profiled.cost] : []),
      ]);
      const isSound = passes.every((pass) => pass.localUnits + pass.differentObjects + pass.missedJobs === 0);
      return isSound ? undefined : 'units were compiled on the submitter, or objects differ';
    }
    case 'micro': {
      const missing = PARTS.filter(({ name }) => result.parts.every((part) => part.name !== name));
      if (missing.length > 0) return `it lacks ${missing.map(({ name }) => name).join(', ')}`;
      return result.command.includes('--short')
        ? 'it is the short form, whose figures mean little'
        : undefined;
    }
  }
}
