/** Reads from an ELF file which loader it asks the kernel for (its PT_INTERP segment; elf(5)). */
import { type FileHandle, open } from 'node:fs/promises';

/** What a file is, as far as running it goes. */
export type ExecutableKind =
  | { readonly kind: 'dynamic'; readonly interpreter: string }
  | { readonly kind: 'static' }
  | { readonly kind: 'script'; readonly firstLine: string }
  | { readonly kind: 'other' };

const ELF_HEADER_BYTES = 64;
const PT_INTERP = 3;
/** Longer interpreter paths than PATH_MAX cannot be opened. */
const MAX_PATH_BYTES = 4096;

/** Where the fields lie in the two classes of ELF files. */
const CLASSES = {
  1: { phoff: 28, phentsize: 42, phnum: 44, wide: false, offset: 4, fileSize: 16 },
  2: { phoff: 32, phentsize: 54, phnum: 56, wide: true, offset: 8, fileSize: 32 },
} as const;

/** Tells how a file is run. @throws the system's error if it cannot be read */
export async function executableKind(path: string): Promise<ExecutableKind> {
  const file = await open(path, 'r');
  try {
    const head = await readAt(file, 0, ELF_HEADER_BYTES);
    if (head.subarray(0, 2).toString('latin1') === '#!') {
      return { kind: 'script', firstLine: head.toString('latin1').split('\n')[0] ?? '' };
    }
    if (head.length < ELF_HEADER_BYTES || head.subarray(0, 4).toString('latin1') !== '\x7fELF') {
      return { kind: 'other' };
    }
    const interpreter = await findInterpreter(file, head);
    return interpreter === undefined ? { kind: 'static' } : { kind: 'dynamic', interpreter };
  } finally {
    await file.close();
  }
}

async function findInterpreter(file: FileHandle, head: Buffer): Promise<string | undefined> {
  const layout = head[4] === 1 ? CLASSES[1] : CLASSES[2];
  const littleEndian = head[5] === 1;
  const half = (at: number) => (littleEndian ? head.readUInt16LE(at) : head.readUInt16BE(at));
  const word = (from: Buffer, at: number) => (littleEndian ? from.readUInt32LE(at) : from.readUInt32BE(at));
  const address = (from: Buffer, at: number) => {
    if (!layout.wide) return word(from, at);
    return Number(littleEndian ? from.readBigUInt64LE(at) : from.readBigUInt64BE(at));
  };
  const entryBytes = half(layout.phentsize);
  const table = await readAt(file, address(head, layout.phoff), entryBytes * half(layout.phnum));
  for (let at = 0; at + entryBytes <= table.length; at += entryBytes) {
    const entry = table.subarray(at, at + entryBytes);
    if (word(entry, 0) !== PT_INTERP) continue;
    const sizeBytes = Math.min(address(entry, layout.fileSize), MAX_PATH_BYTES);
    const text = await readAt(file, address(entry, layout.offset), sizeBytes);
    return text.toString('utf8').replace(/\0.*$/s, '');
  }
  return undefined;
}

async function readAt(file: FileHandle, position: number, sizeBytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(sizeBytes), 0, sizeBytes, position);
  return buffer.subarray(0, bytesRead);
}
