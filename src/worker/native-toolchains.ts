/**
 * Which toolchains the sandbox can run: its system-call filter knows the table of one architecture, that of the job
 * runner, and kills what calls by another (a 32-bit compiler on 64 bits, for one).
 */
import { open } from 'node:fs/promises';
import type { Toolchain } from '../toolchain/index.ts';

/** Bytes of an ELF header up to the machine that it is for (elf(5)): class, byte order, e_machine. */
const HEADER_BYTES = 20;

/** What an ELF file runs on, as text that is equal for equal machines; undefined if it is none. */
async function machineOf(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || buffer.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
    return `${buffer[4] === 1 ? 32 : 64} bits, machine ${buffer[5] === 1 ? buffer.readUInt16LE(18) : buffer.readUInt16BE(18)}`;
  } finally {
    await file.close();
  }
}

/**
 * Looks at the programs of a toolchain.
 * @param nativeProgram a program of the architecture that the sandbox lets through
 * @returns undefined if all are like it, else in words which one is not
 */
export async function foreignProgram(
  { components }: Pick<Toolchain, 'components'>,
  nativeProgram: string,
): Promise<string | undefined> {
  const native = await machineOf(nativeProgram);
  for (const { realPath } of components) {
    const machine = await machineOf(realPath);
    if (machine !== undefined && machine !== native)
      return `${realPath} is for ${machine}, and the sandbox of this worker for ${native}`;
  }
  return undefined;
}
