/** Where the programs lie that a driver starts. */
import type { PlannedProgram } from './driver-plan.ts';
import { findInPath } from './find-in-path.ts';
import type { ToolchainComponent } from './toolchain.ts';

/** A component whose content has not been looked at. */
export type LocatedFile = Omit<ToolchainComponent, 'realPath' | 'digest'>;

/**
 * Where each program lies. One that is nowhere is an error, save objcopy: few compiles need it.
 * @param searchPath a value of PATH
 * @throws Error that names the program
 */
export async function locatePrograms(
  programs: readonly PlannedProgram[],
  searchPath: string | undefined,
): Promise<LocatedFile[]> {
  const located: LocatedFile[] = [];
  for (const { role, program } of programs) {
    if (program.startsWith('/')) {
      located.push({ role, path: program, lookup: 'absolute' });
      continue;
    }
    if (program.includes('/'))
      throw new Error(`it starts ${program}, which depends on the working directory`);
    const path = await findInPath(program, searchPath);
    if (path !== undefined) located.push({ role, path, lookup: 'PATH' });
    else if (role !== 'objcopy')
      throw new Error(`it starts ${program}, which is not installed or not in PATH`);
  }
  return located;
}
