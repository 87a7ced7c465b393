/** Whom confined processes belong to where the agent is root: users that nobody else has. */
import { readFileSync } from 'node:fs';
import type { Rung } from './rungs.ts';

/**
 * Start of a range that neither systemd (https://systemd.io/UIDS-GIDS/) nor the subordinate ids of shadow-utils
 * give to anybody.
 */
const FIRST_OWNER = 1_900_000_000;
/** Processes have numbers up to 2^22 (PID_MAX_LIMIT). */
const PROCESS_NUMBERS = 2 ** 22;

/**
 * The owner of jobs on a rung, as {@link Sandbox} wants it; 0 if the agent is not root.
 * @param idMaps texts of /proc/self/uid_map and gid_map
 * @returns undefined if the agent is root, and such users do not exist where it runs
 */
export function jobOwner(
  rung: Rung,
  isRoot = process.getuid?.() === 0,
  idMaps: readonly string[] = ['uid_map', 'gid_map'].map((name) =>
    readFileSync(`/proc/self/${name}`, 'utf8'),
  ),
): number | undefined {
  if (!isRoot) return 0;
  if (!idMaps.every((text) => maps(text, FIRST_OWNER, 2 * PROCESS_NUMBERS))) return undefined;
  // Agents of one machine have different process numbers, and so their cells different owners.
  return rung === 'namespaces' ? FIRST_OWNER + process.pid : FIRST_OWNER + PROCESS_NUMBERS;
}

function maps(text: string, first: number, count: number): boolean {
  return text.split('\n').some((line) => {
    const [inside = Number.NaN, , length = Number.NaN] = line.trim().split(/\s+/).map(Number);
    return inside <= first && first + count <= inside + length;
  });
}
