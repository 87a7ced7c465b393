/** Door of the workloads: the table of them, and the comparison with a plain local build. */
import { busybox } from './busybox.ts';
import { KERNEL_WORKLOADS } from './kernel.ts';
import { fifteen, librdkafka } from './librdkafka.ts';
import { rangeV3 } from './range-v3.ts';
import { taglib, taglibSplit } from './taglib.ts';
import type { Workload } from './workload.ts';
import { xz } from './xz.ts';

export { logTail, plainEnvironment, runCommand } from './command.ts';
export { unpackDebianSource } from './debian-source.ts';
export { librdkafka } from './librdkafka.ts';
export { buildRecordedReference, outputOf, type RecordedUnit, type Recording } from './recording.ts';
export {
  buildReference,
  type Comparison,
  compareWithReference,
  type Reference,
  type ReferenceOptions,
} from './reference.ts';
export type { Log, PreparedTree, Workload } from './workload.ts';

/** Every workload, by name. */
export const WORKLOADS: ReadonlyMap<string, Workload> = new Map(
  [...KERNEL_WORKLOADS, busybox, taglib, taglibSplit, rangeV3, xz, librdkafka, fifteen].map((workload) => [
    workload.name,
    workload,
  ]),
);
