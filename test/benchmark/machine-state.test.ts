/** What the kernel says of clock and heat is read as it is there, and what it does not say is left out. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { loadedState, readMachineState } from '../../src/benchmark/index.ts';

const root = mkdtempSync(join(tmpdir(), 'meshcc-sysfs-'));
after(() => rmSync(root, { recursive: true, force: true }));

function sysfs(name: string, files: Readonly<Record<string, string>>): string {
  const directory = join(root, name);
  mkdirSync(directory);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true });
    writeFileSync(join(directory, path), `${text}\n`);
  }
  return directory;
}

test('a machine that tells nothing, as many virtual ones, has no figures rather than zeros', () => {
  assert.deepEqual(readMachineState(sysfs('nothing', { 'devices/system/cpu/cpu0/online': '1' })), {});
  assert.deepEqual(readMachineState(join(root, 'not there')), {});
});

test('clock, governor, throttling and heat of a machine that tells all', () => {
  const cpu = 'devices/system/cpu';
  const state = readMachineState(
    sysfs('board', {
      [`${cpu}/cpu0/cpufreq/scaling_cur_freq`]: '1800000',
      [`${cpu}/cpu1/cpufreq/scaling_cur_freq`]: '1600000',
      [`${cpu}/cpu0/cpufreq/scaling_max_freq`]: '1800000',
      [`${cpu}/cpu0/cpufreq/cpuinfo_max_freq`]: '2000000',
      [`${cpu}/cpu0/cpufreq/scaling_governor`]: 'schedutil',
      [`${cpu}/cpu1/cpufreq/scaling_governor`]: 'performance',
      [`${cpu}/cpu0/thermal_throttle/core_throttle_count`]: '3',
      [`${cpu}/cpu1/thermal_throttle/core_throttle_count`]: '4',
      [`${cpu}/cpu0/thermal_throttle/package_throttle_count`]: '5',
      'class/thermal/thermal_zone0/temp': '61500',
      'class/thermal/thermal_zone1/temp': '48000',
      'class/thermal/thermal_zone2/temp': '-274000',
      'class/thermal/cooling_device0/type': 'cpufreq-cpu0',
      'class/thermal/cooling_device0/cur_state': '2',
      'class/thermal/cooling_device1/type': 'pwm-fan',
      'class/thermal/cooling_device1/cur_state': '4',
    }),
  );
  assert.deepEqual(state, {
    clockMhz: 1700,
    allowedMhz: 1800,
    highestMhz: 2000,
    governor: 'performance,schedutil',
    throttleCount: 12,
    coolingSteps: 2,
    hottestCelsius: 62,
  });
});

test('throttled during the work: a counter that grew, a step, a limit that came down; else not, or not known', () => {
  const throttled = (...states: Parameters<typeof loadedState>[0]) => loadedState(states).throttled;
  assert.equal(throttled({ throttleCount: 7 }, { throttleCount: 7 }), false);
  assert.equal(throttled({ throttleCount: 7 }, { throttleCount: 8 }, { throttleCount: 8 }), true);
  assert.equal(throttled({ coolingSteps: 0 }, { coolingSteps: 1 }, { coolingSteps: 0 }), true);
  assert.equal(throttled({ allowedMhz: 1800 }, { allowedMhz: 1200 }, { allowedMhz: 1800 }), true);
  assert.equal(throttled({ allowedMhz: 1800 }, { allowedMhz: 1800 }), undefined);
  assert.equal(throttled({}, {}), undefined);
});

test('the clock is that during the work, not before and after', () => {
  const clock = (...mhz: number[]) => loadedState(mhz.map((clockMhz) => ({ clockMhz }))).clockMhz;
  assert.equal(clock(600, 1800, 1700, 600), 1750);
  assert.equal(clock(600, 1800), 1200, 'nothing was seen during the work');
});
