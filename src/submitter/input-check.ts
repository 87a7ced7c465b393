/** Whether the files that a job was sent with are on the disk as they were told, by their contents. */
import { digestFromBytes } from '../base/digest.ts';
import { digestOfFile } from '../base/file-digest.ts';
import type { EntryTable } from './entry-table.ts';
import type { JobInputs } from './input-set.ts';

/**
 * Reads every file that the job listed. For the rare case in which a wrong suspicion would be worse than some
 * megabytes to be read.
 * @returns false if one has other content or cannot be read, or if the dictionary no longer knows what was told
 */
export async function areInputsOnDisk(entries: EntryTable, inputs: JobInputs): Promise<boolean> {
  if (inputs.generation !== entries.generation) return false;
  // All at once: the dictionary may begin anew while files are read.
  const files = [...inputs.entryIds].flatMap((id) => {
    const { path, file } = entries.entry(id);
    return file === undefined
      ? []
      : [{ path, sizeBytes: file.sizeBytes, digest: digestFromBytes(file.sha256) }];
  });
  for (const { path, sizeBytes, digest } of files) {
    const now = await digestOfFile(path, sizeBytes).catch(() => undefined);
    if (now === undefined || now !== digest) return false;
  }
  return true;
}
