/** Asks a driver what it would do for a compile. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { askProgram } from './ask-program.ts';
import { type DriverPlan, parseDriverPlan } from './driver-plan.ts';

/**
 * The steps of a compile, with split debug information if the compiler can do that.
 * @param args come before the source `x.c`
 * @throws Error that says why the steps cannot be known
 */
export async function driverPlanOf(
  compilerPath: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<DriverPlan> {
  // Clang wants the file to exist, and its name must tell the language: `-x` would hide that this is a g++.
  const directory = await mkdtemp(join(tmpdir(), 'meshcc-probe-'));
  try {
    await writeFile(join(directory, 'x.c'), '');
    let reason = '';
    for (const debug of [['-g', '-gsplit-dwarf'], []]) {
      const argv = ['-###', '-v', ...debug, ...args, '-c', 'x.c', '-o', 'x.o'];
      const answer = await askProgram(compilerPath, argv, { env, cwd: directory });
      const plan = parseDriverPlan(answer.stderr);
      if (!('reason' in plan) && answer.exitCode === 0) return plan;
      reason =
        'reason' in plan
          ? plan.reason
          : `asked for its steps, it failed: ${answer.stderr.trim().slice(-200)}`;
    }
    throw new Error(reason);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
