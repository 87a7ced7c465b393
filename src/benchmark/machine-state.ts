/** How a machine is just now: clock, governor, temperature, and whether it holds itself back. What it does not tell is left out. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A property that is missing is one that the machine does not tell. */
export interface MachineState {
  /** Mean of all processors, as the kernel's cpufreq says. */
  readonly clockMhz?: number;
  /** The highest that cpufreq allows any processor now. */
  readonly allowedMhz?: number;
  /** The highest that the hardware has. */
  readonly highestMhz?: number;
  /** Of all processors, sorted, with commas if they differ. */
  readonly governor?: string;
  /** Times that any core or package was slowed down because of heat, since the start. */
  readonly throttleCount?: number;
  /** Steps by which the kernel slows processors down now because of heat; 0: not at all. */
  readonly coolingSteps?: number;
  /** The hottest zone. */
  readonly hottestCelsius?: number;
}

/** What the states during some work say together. */
export interface LoadedState {
  readonly governor?: string;
  /** Mean while the work was done. */
  readonly clockMhz?: number;
  readonly hottestCelsius?: number;
  /** Undefined: this machine does not tell. */
  readonly throttled?: boolean;
}

/** Places in /sys that are looked at, at most: boards have some dozen processors and zones. */
const MAX_PLACES = 1024;

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}

function numberOf(path: string): number | undefined {
  const text = textOf(path);
  return text !== undefined && /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function entries(directory: string, pattern: RegExp): string[] {
  try {
    const names = readdirSync(directory).filter((name) => pattern.test(name));
    return names.slice(0, MAX_PLACES).map((name) => join(directory, name));
  } catch {
    return [];
  }
}

function known(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/**
 * Looks at the machine; takes a millisecond or so.
 * @param root where sysfs is mounted
 */
export function readMachineState(root = '/sys'): MachineState {
  const processors = entries(join(root, 'devices/system/cpu'), /^cpu\d+$/);
  const each = (file: string): number[] => known(processors.map((place) => numberOf(join(place, file))));
  const clocks = each('cpufreq/scaling_cur_freq');
  const allowed = each('cpufreq/scaling_max_freq');
  const highest = each('cpufreq/cpuinfo_max_freq');
  const governors = processors
    .map((place) => textOf(join(place, 'cpufreq/scaling_governor')))
    .filter((name) => name !== undefined);
  const throttles = ['core_throttle_count', 'package_throttle_count'].flatMap((file) =>
    each(`thermal_throttle/${file}`),
  );
  const thermal = join(root, 'class/thermal');
  const coolers = entries(thermal, /^cooling_device\d+$/)
    .filter((place) => /^(?:cpufreq|thermal-cpufreq|cpu|Processor)/.test(textOf(join(place, 'type')) ?? ''))
    .map((place) => numberOf(join(place, 'cur_state')));
  const steps = known(coolers);
  const zones = known(
    entries(thermal, /^thermal_zone\d+$/).map((place) => numberOf(join(place, 'temp'))),
  ).filter((millidegrees) => millidegrees > 0 && millidegrees < 200_000);
  return {
    ...(clocks.length > 0 ? { clockMhz: Math.round(mean(clocks) / 1000) } : {}),
    ...(allowed.length > 0 ? { allowedMhz: Math.round(Math.max(...allowed) / 1000) } : {}),
    ...(highest.length > 0 ? { highestMhz: Math.round(Math.max(...highest) / 1000) } : {}),
    ...(governors.length > 0 ? { governor: [...new Set(governors)].sort().join(',') } : {}),
    ...(throttles.length > 0 ? { throttleCount: throttles.reduce((sum, count) => sum + count, 0) } : {}),
    ...(steps.length > 0 ? { coolingSteps: Math.max(...steps) } : {}),
    ...(zones.length > 0 ? { hottestCelsius: Math.round(Math.max(...zones) / 1000) } : {}),
  };
}

/** @param states before, while and after the work was done, in this order */
export function loadedState(states: readonly MachineState[]): LoadedState {
  const during = states.length > 2 ? states.slice(1, -1) : states;
  const clocks = known(during.map(({ clockMhz }) => clockMhz));
  const heat = known(states.map(({ hottestCelsius }) => hottestCelsius));
  const governor = states.at(-1)?.governor;
  const throttled = wasThrottled(states);
  return {
    ...(governor === undefined ? {} : { governor }),
    ...(clocks.length > 0 ? { clockMhz: Math.round(mean(clocks)) } : {}),
    ...(heat.length > 0 ? { hottestCelsius: Math.max(...heat) } : {}),
    ...(throttled === undefined ? {} : { throttled }),
  };
}

/** A counter that grew, a step that was taken, or a limit that came down; undefined if there is none of them. */
function wasThrottled(states: readonly MachineState[]): boolean | undefined {
  const counts = known(states.map(({ throttleCount }) => throttleCount));
  const steps = known(states.map(({ coolingSteps }) => coolingSteps));
  const limits = known(states.map(({ allowedMhz }) => allowedMhz));
  if (counts.length === 0 && steps.length === 0) {
    // A limit that stays says nothing: most machines never touch theirs.
    return limits.some((limit) => limit < (limits[0] ?? 0)) ? true : undefined;
  }
  return (
    counts.some((count) => count > (counts[0] ?? 0)) ||
    steps.some((step) => step > 0) ||
    limits.some((limit) => limit < (limits[0] ?? 0))
  );
}
