/** Which machines a program runs on, from its ELF header (elf(5)): class, byte order and e_machine. */
import { open } from 'node:fs/promises';

const HEADER_BYTES = 20;

/** Names of e_machine as the kernel's `uname -m` has them, where a compiler is likely to run. */
const MACHINES: Readonly<Record<number, string>> = {
  2: 'sparc',
  3: 'i386',
  8: 'mips',
  20: 'ppc',
  21: 'ppc64',
  22: 's390x',
  40: 'arm',
  43: 'sparc64',
  62: 'x86_64',
  183: 'aarch64',
  243: 'riscv',
  258: 'loongarch',
};

/** Machines that come in 32 and 64 bits under one number. */
const BY_CLASS: ReadonlySet<number> = new Set([8, 243, 258]);

/**
 * The host architecture of a program, e.g. `x86_64`, `aarch64`, `ppc64le`; equal exactly for programs of one machine,
 * width and byte order.
 * @returns undefined if it is no ELF file
 * @throws the system's error if it cannot be read
 */
export async function hostArchitectureOf(path: string): Promise<string | undefined> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEADER_BYTES), 0, HEADER_BYTES, 0);
    if (bytesRead < HEADER_BYTES || buffer.toString('latin1', 0, 4) !== '\x7fELF') return undefined;
    return nameOf(buffer);
  } finally {
    await file.close();
  }
}

function nameOf(header: Buffer): string {
  const isLittle = header[5] === 1;
  const bits = header[4] === 1 ? 32 : 64;
  const machine = isLittle ? header.readUInt16LE(18) : header.readUInt16BE(18);
  if (machine === 62 && bits === 32) return 'x32';
  if (machine === 183 && bits === 32) return 'aarch64_ilp32';
  const name = MACHINES[machine] ?? `machine${machine}-${bits}`;
  const width = BY_CLASS.has(machine) ? String(bits) : '';
  // Only some machines come in both byte orders; the commoner one goes without saying.
  const usuallyLittle = !['sparc', 'sparc64', 's390x', 'ppc', 'ppc64', 'mips'].includes(name);
  const order = usuallyLittle === isLittle ? '' : isLittle ? 'le' : 'be';
  return `${name}${width}${order}`;
}
