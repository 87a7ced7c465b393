/** One measured interval: everything that the hosts used from the start of a program on the laptop to its end. */
import { readFileSync } from 'node:fs';
import type { BenchHosts, HostCounters } from './hosts.ts';
import type { Calibration, Yardstick } from './yardstick.ts';

/** Clock ticks a second of /proc/stat: fixed at 100 on every architecture that Node runs on (USER_HZ). */
const TICKS_PER_SECOND = 100;

/** What happened in the interval. */
export interface Measurement {
  readonly wallSeconds: number;
  /** By name of the host; differences over the interval. */
  readonly hosts: Readonly<Record<string, HostCounters>>;
  readonly calibration: Calibration;
  /** CPU that neither the hosts nor the yardstick used, in cores: other programs, and the kernel's own work. */
  readonly outsideCores: number;
  /** CPU that the hypervisor gave to others, in cores. */
  readonly stealCores: number;
}

interface MachineTime {
  readonly busySeconds: number;
  readonly stealSeconds: number;
}

function machineTime(): MachineTime {
  const [, ...fields] = (readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? '').trim().split(/\s+/);
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = fields.map(Number);
  return {
    busySeconds: (user + nice + system + irq + softirq) / TICKS_PER_SECOND,
    stealSeconds: steal / TICKS_PER_SECOND,
  };
}

/** What each host used between two readings. */
export function difference(
  after: ReadonlyMap<string, HostCounters>,
  before: ReadonlyMap<string, HostCounters>,
): Record<string, HostCounters> {
  const result: Record<string, HostCounters> = {};
  for (const [name, now] of after) {
    const then = before.get(name) ?? now;
    result[name] = {
      cpuSeconds: now.cpuSeconds - then.cpuSeconds,
      throttledSeconds: now.throttledSeconds - then.throttledSeconds,
      sentBytes: now.sentBytes - then.sentBytes,
      receivedBytes: now.receivedBytes - then.receivedBytes,
      droppedPackets: now.droppedPackets - then.droppedPackets,
    };
  }
  return result;
}

/** CPU of all hosts together. */
export function totalCpuSeconds(hosts: Readonly<Record<string, HostCounters>>): number {
  return Object.values(hosts).reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/**
 * Runs an action between two readings of all counters.
 * @param run resolves when what is measured has ended
 */
export async function measure<T>(
  hosts: BenchHosts,
  yardstick: Yardstick,
  run: () => Promise<T>,
): Promise<{ result: T; measurement: Measurement }> {
  const beforeMs = await yardstick.quiet();
  const counters = hosts.counters();
  const machine = machineTime();
  const started = performance.now();
  const running = run();
  let wallSeconds = 0;
  // Read at once: the yardstick may be in the middle of a sample when the run ends.
  const readings = running.then((result) => {
    wallSeconds = (performance.now() - started) / 1000;
    return { result, used: difference(hosts.counters(), counters), machineAfter: machineTime() };
  });
  const [{ result, used, machineAfter }, duringMs] = await Promise.all([
    readings,
    yardstick.during(readings),
  ]);
  const own = totalCpuSeconds(used) + duringMs.reduce((sum, ms) => sum + ms, 0) / 1000;
  const busy = machineAfter.busySeconds - machine.busySeconds;
  return {
    result,
    measurement: {
      wallSeconds,
      hosts: used,
      calibration: { beforeMs, duringMs, afterMs: await yardstick.quiet() },
      outsideCores: Math.max(0, busy - own) / wallSeconds,
      stealCores: (machineAfter.stealSeconds - machine.stealSeconds) / wallSeconds,
    },
  };
}
