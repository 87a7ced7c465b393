/** The specs file that tells GCC's driver the submitter's processor in the place of this machine's. */
import { link, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { digestOf } from '../base/digest.ts';
import { errnoOf } from '../base/errors.ts';
import { nativeSpecs, type ProcessorWords } from '../compiler/index.ts';
import type { CompileRequest } from './compile.ts';
import type { Mirror } from './mirror.ts';

let sequence = 0;

/** The submitter's processor, if options of the job mean it. */
export function processorOf({ job, invocation }: CompileRequest): ProcessorWords | undefined {
  return invocation.nativeOptions.length > 0 ? job.processor : undefined;
}

/**
 * Puts the file into the tree, once per content, if the job needs it. Its words have been checked.
 * @returns the arguments that make the driver read it
 */
export async function processorSpecs(request: CompileRequest, mirror: Mirror): Promise<string[]> {
  const processor = processorOf(request);
  if (processor === undefined || request.toolchain.toolchain.dialect !== 'gcc') return [];
  const text = nativeSpecs(request.invocation.nativeOptions, processor);
  const path = `/.meshcc-processor-${digestOf(text).slice(0, 16)}`;
  if (mirror.baseAt(path) === undefined) {
    const place = join(mirror.directory, path);
    const temporary = `${mirror.directory}.processor-${++sequence}`;
    try {
      await writeFile(temporary, text, { mode: 0o444 });
      // Whole or not at all: another job may be about to read it.
      await link(temporary, place).catch((error) => {
        if (errnoOf(error) !== 'EEXIST') throw error;
      });
      mirror.addBase(path, { kind: 'file' });
    } finally {
      await rm(temporary, { force: true });
    }
  }
  return [`-specs=${path}`];
}
