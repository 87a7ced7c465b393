/** Settings: defaults, then the environment, then the options; and what is said to a value that cannot be used. */
import assert from 'node:assert/strict';
import { availableParallelism, hostname } from 'node:os';
import { test } from 'node:test';
import {
  DEFAULT_PORT,
  defaultConfig,
  loadConfig,
  SETTINGS,
  type SettingName,
  type WrittenSettings,
} from '../../src/agent/index.ts';
import { MeshError } from '../../src/base/errors.ts';
import { openBlobStore } from '../../src/store/index.ts';

const NAMES = Object.keys(SETTINGS) as SettingName[];

test('nothing written: the defaults', () => {
  const config = loadConfig({}, {});
  assert.deepEqual(config, defaultConfig());
  assert.deepEqual(
    [config.name, config.port, config.slots, config.worker, config.submitter, config.insecure],
    [hostname(), DEFAULT_PORT, availableParallelism(), true, true, false],
  );
});

test('every setting has an option and a variable of its own', () => {
  for (const part of ['option', 'env'] as const) {
    const written = NAMES.map((name) => SETTINGS[name][part]);
    assert.equal(new Set(written).size, written.length);
  }
  for (const name of NAMES) {
    assert.match(SETTINGS[name].env, /^MESHCC_[A-Z_]+$/);
    assert.match(SETTINGS[name].option, /^--[a-z-]+( <[a-z:]+(\.\.\.)?>)?$/);
  }
});

/** A value that is not the default, and how it is written. */
const WRITTEN: Record<SettingName, [string, unknown]> = {
  name: ['board-7', 'board-7'],
  port: ['0', 0],
  interfaces: ['usb0, usb1', ['usb0', 'usb1']],
  peers: ['10.55.0.2:9310', ['10.55.0.2:9310']],
  worker: ['no', false],
  submitter: ['off', false],
  insecure: ['1', true],
  slots: ['3', 3],
  localSlots: ['9', 9],
  storeMaxBytes: ['1.5G', 1.5 * 1024 ** 3],
  scratchBytes: ['512m', 512 * 1024 ** 2],
  memoryBytes: ['2G', 2 * 1024 ** 3],
  compileLimitMs: ['20', 20_000],
  sandbox: ['uid', 'uid'],
  compareHosts: ['yes', true],
  foreignHosts: ['yes', true],
  trustedNodes: ['a2b3 c4d5', ['a2b3', 'c4d5']],
  creditWaitMs: ['2.5', 2_500],
  jobTimeoutMs: ['30', 30_000],
  verifyProbation: ['0', 0],
  verifyRate: ['0.25', 0.25],
  verifyForeignProbation: ['4', 4],
  verifyForeignRate: ['0.5', 0.5],
  idleExitMs: ['900', 900_000],
  logLevel: ['debug', 'debug'],
  logFormat: ['json', 'json'],
};

for (const name of NAMES) {
  test(`${name}: the environment counts more than the default, the option more than the environment`, () => {
    const [written, value] = WRITTEN[name];
    const { env } = SETTINGS[name];
    assert.notDeepEqual(defaultConfig()[name], value, 'the test’s value is the default');
    assert.deepEqual(loadConfig({ [env]: written }, {})[name], value);
    assert.deepEqual(loadConfig({}, { [name]: written })[name], value);
    assert.deepEqual(loadConfig({ [env]: '' }, {})[name], defaultConfig()[name], 'empty counts as not set');
    const other = SETTINGS[name].type === 'flag' ? String(value !== true) : undefined;
    const isShare = SETTINGS[name].type === 'share';
    const elsewhere =
      other ??
      (isShare ? '1' : undefined) ??
      (Array.isArray(value) ? 'x:1' : 'choices' in SETTINGS[name] ? defaultConfig()[name] : '7');
    assert.deepEqual(loadConfig({ [env]: String(elsewhere) }, { [name]: written })[name], value);
  });
}

test('lists and flags as the command line hands them over', () => {
  const options: WrittenSettings = {
    peers: ['a:1', 'b:2,c:3'],
    interfaces: ['usb0'],
    worker: false,
    insecure: true,
  };
  const config = loadConfig({ MESHCC_WORKER: 'yes' }, options);
  assert.deepEqual(config.peers, ['a:1', 'b:2', 'c:3']);
  assert.deepEqual([config.interfaces, config.worker, config.insecure], [['usb0'], false, true]);
});

/** Values that cannot be used. */
const BAD: [SettingName, string][] = [
  ['peers', 'foo'],
  ['peers', 'board:http'],
  ['peers', '10.0.0.1:9310,nonsense'],
  ['port', 'http'],
  ['port', '65536'],
  ['port', '-1'],
  ['port', '93.5'],
  ['slots', '0'],
  ['slots', '-2'],
  ['slots', '1e3'],
  ['slots', 'many'],
  ['localSlots', '1.5'],
  ['storeMaxBytes', 'lots'],
  ['storeMaxBytes', '-5G'],
  ['storeMaxBytes', '5 X'],
  ['scratchBytes', ''],
  ['creditWaitMs', 'soon'],
  ['creditWaitMs', '-1'],
  ['creditWaitMs', 'Infinity'],
  // 25 days do not fit a timer, which would then fire at once.
  ['jobTimeoutMs', '2160000'],
  ['idleExitMs', 'never'],
  ['worker', 'maybe'],
  ['insecure', '2'],
  ['logLevel', 'loud'],
  ['logFormat', 'xml'],
];

for (const [name, written] of BAD) {
  test(`${name} cannot be "${written}", and the error says where it stood and what is expected`, () => {
    const places: [NodeJS.ProcessEnv, WrittenSettings, string][] = [
      [{}, { [name]: written }, SETTINGS[name].option.split(' ')[0]!],
    ];
    if (written !== '') places.push([{ [SETTINGS[name].env]: written }, {}, SETTINGS[name].env]);
    for (const [env, options, where] of places) {
      assert.throws(
        () => loadConfig(env, options),
        (error: unknown) =>
          error instanceof MeshError &&
          error.code === 'MESHCC_BAD_CONFIG' &&
          error.message.startsWith(`${where} is "${written}"; expected `),
      );
    }
  });
}

test('a size of nothing, or of more than a number can hold, is refused where it is used', async () => {
  for (const size of ['0', '99999999T']) {
    const { storeMaxBytes } = loadConfig({}, { storeMaxBytes: size });
    await assert.rejects(
      openBlobStore({
        directory: '/nonexistent',
        maxBytes: storeMaxBytes,
        log: { info: () => {}, warn: () => {} },
      }),
      (error: unknown) => error instanceof MeshError && error.code === 'MESHCC_BAD_CONFIG',
    );
  }
});
