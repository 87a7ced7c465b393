/**
 * Which toolchains the sandbox can run: its system-call filter knows the table of one architecture, that of the job
 * runner, and kills what calls by another (a 32-bit compiler on 64 bits, for one).
 */
import { hostArchitectureOf, type Toolchain } from '../toolchain/index.ts';

/**
 * Looks at the programs of a toolchain.
 * @param nativeProgram a program of the architecture that the sandbox lets through
 * @returns undefined if all are like it, else in words which one is not
 */
export async function foreignProgram(
  { components }: Pick<Toolchain, 'components'>,
  nativeProgram: string,
): Promise<string | undefined> {
  const native = await hostArchitectureOf(nativeProgram);
  for (const { realPath } of components) {
    const host = await hostArchitectureOf(realPath);
    if (host !== undefined && host !== native)
      return `${realPath} runs on ${host}, and the sandbox of this worker is for ${native}`;
  }
  return undefined;
}
