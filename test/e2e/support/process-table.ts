/** The machine's processes as /proc shows them: who still works for a test that should have ended. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface ProcessEntry {
  readonly pid: number;
  readonly name: string;
  readonly commandLine: string;
  /** As the process sees it: inside a sandbox, the path there. */
  readonly workingDirectory: string;
}

/** Programs that a compile consists of. */
const COMPILER_PROGRAMS = new Set(['gcc', 'g++', 'cc1', 'cc1plus', 'as', 'collect2', 'lto1']);

/** Every process whose command line or working directory contains `text`, except this one. Zombies are left out. */
export function processesMentioning(text: string): ProcessEntry[] {
  const found: ProcessEntry[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const entry = readProcess(pid);
    if (entry === undefined) continue;
    if (entry.commandLine.includes(text) || entry.workingDirectory.includes(text)) found.push(entry);
  }
  return found;
}

/** Compilers at work on files below a directory, wherever they run. */
export function compilersWorkingIn(directory: string): ProcessEntry[] {
  return processesMentioning(directory).filter(({ name }) => COMPILER_PROGRAMS.has(name));
}

/** Resident memory of a process, in bytes; 0 if it is gone. */
export function residentBytes(pid: number): number {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return Number(match?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function readProcess(pid: number): ProcessEntry | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    if (/^State:\s+Z/m.test(status)) return undefined;
    const commandLine = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const name = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? '';
    return { pid, name, commandLine, workingDirectory: readlinkSync(`/proc/${pid}/cwd`) };
  } catch {
    // it ended while we looked
    return undefined;
  }
}
