/**
 * When V8 tidies up. It takes a process that mostly waits, as an agent does, for one that is done, and tidies up in its
 * waiting time. But that is CPU time all the same, on V8's own threads as well, and a build of a few units a second
 * waits between any two of them. What that cost each unit of a kernel (Node 20, 30 to 50 MB in use):
 * - A heap may grow by a tenth only before all of it is marked, and buffers that went through count as growth. So it was
 *   marked every fifty to a hundred units: up to half a millisecond a unit.
 * - The memory reducer marks it up to three times more once little has been allocated for some seconds, and throws code
 *   away that was not needed just now: up to a millisecond a unit at three units a second.
 */
import { setFlagsFromString } from 'node:v8';

/** The heap may double before it is marked again: some tens of megabytes more than without. */
const GROWTH_PERCENT = 100;

/** V8 with the number of the reducer's markings as an option; before, there is one for a single one. */
const FIRST_V8_WITH_COUNT = 12;

/**
 * For this process, from the next marking on. (To switch the reducer off has an effect only before there is a heap,
 * which is before this program has begun.)
 */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`);
  const hasCount = Number.parseInt(process.versions.v8, 10) >= FIRST_V8_WITH_COUNT;
  setFlagsFromString(hasCount ? '--memory-reducer-gc-count=1' : '--memory-reducer-single-gc');
  setFlagsFromString('--no-flush-bytecode');
}
