/** The two yardsticks: a plain local build, and a build whose compiler costs nothing. */
import { plainEnvironment } from '../workloads/index.ts';
import { type Contestant, type ContestContext, type Session, unwrapped } from './contestant.ts';

/** A session without daemons and without anything to tell. */
function simpleSession(env: NodeJS.ProcessEnv): Session {
  return {
    ready: async () => ({ env, wrap: unwrapped }),
    facts: async () => ({}),
    close: async () => undefined,
  };
}

/** make and gcc, and nothing else. */
export const local: Contestant = {
  name: 'local',
  legs: [{ name: 'local', title: 'local make' }],
  compilesOn: 'laptop',
  packages: [],
  open: async () => simpleSession({ ...plainEnvironment(), MESHCC_DISABLE: '1' }),
};

/** What make, the shell and the build's own tools cost when compiles cost nothing. */
export const floor: Contestant = {
  name: 'floor',
  legs: [{ name: 'floor', title: 'floor (free compiler)' }],
  compilesOn: 'boards',
  packages: [],
  open: async ({ recording }: ContestContext) =>
    simpleSession({ ...recording.standInEnvironment, BENCH_STAND_IN: 'replay' }),
};
