/**
 * How often V8 marks the whole heap. It lets a heap grow by a tenth between two markings if the process mostly waits, as
 * an agent does: what marking takes then hides in waiting time. But it is CPU time all the same, on the threads of V8 as
 * well, and buffers that went through count as growth. So during a build the whole heap was marked every fifty to a
 * hundred units, which cost each of them up to half a millisecond (Node 20, 30 MB in use).
 */
import { setFlagsFromString } from 'node:v8';

/** The heap may double before it is marked again: some tens of megabytes more than without. */
const GROWTH_PERCENT = 100;

/** For this process, from the next marking on. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
}
