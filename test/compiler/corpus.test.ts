/** The corpora of command lines: what is distributable, what is not, and that nothing gets lost on the way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Invocation } from '../../src/compiler/index.ts';
import {
  classify,
  invocationFromArgs,
  parseArguments,
  renderArguments,
  validateInvocation,
  workerArguments,
} from '../../src/compiler/index.ts';
import { OPTION_INDEX } from '../../src/compiler/option-index.ts';
import { type CorpusLine, readCorpus } from './corpus.ts';

const distributable = readCorpus('distributable');
const hostile = readCorpus('hostile');
const ordinary = readCorpus('local', 2);
const verdicts = readCorpus('verdicts', 2);

function invocationOf(line: (typeof distributable)[number]): Invocation {
  const result = classify(line.call);
  assert.equal(result.kind, 'distributable', `${JSON.stringify(result)}: ${line.text}`);
  if (result.kind !== 'distributable') throw new Error('unreachable');
  return result.invocation;
}

test('real build lines are distributable, and a worker agrees', () => {
  assert.ok(distributable.length >= 35);
  for (const line of distributable) {
    const invocation = invocationOf(line);
    const { dialect, compilerName } = line.call;
    assert.deepEqual(validateInvocation(invocation, dialect, compilerName), { ok: true }, line.text);
  }
});

test('ordinary local calls get the expected reason and slot', () => {
  for (const { text, labels, call } of ordinary) {
    const result = classify(call);
    assert.equal(result.kind, 'local', text);
    if (result.kind === 'local') {
      assert.deepEqual([result.reason, result.slot ? 'slot' : 'at-once'], labels, text);
    }
  }
});

test('no hostile call is distributable', () => {
  assert.ok(hostile.length >= 200);
  const accepted = hostile.filter((line) => classify(line.call).kind === 'distributable');
  assert.deepEqual(
    accepted.map((line) => line.text),
    [],
  );
});

test('a worker refuses every hostile call, however it is presented', () => {
  for (const { text, call } of hostile) {
    const { args } = parseArguments(call.args, call.dialect);
    const derivation = invocationFromArgs(args, call.dialect, call.compilerName);
    const plain = parseArguments(['-c', 'x.c'], call.dialect).args;
    const honest = invocationFromArgs(plain, call.dialect, call.compilerName);
    assert.ok(honest.ok);
    const claimed = derivation.ok ? derivation.invocation : { ...honest.invocation, args };
    assert.equal(validateInvocation(claimed, call.dialect, call.compilerName).ok, false, text);
  }
});

/** What a worker would run for a call, and whether it agrees to it. */
function onWorker({ call }: CorpusLine, invocation: Invocation): { runs: string[]; agrees: boolean } {
  const { dialect, compilerName } = call;
  return {
    runs: workerArguments(invocation, dialect, ['-march=znver3', '-mavx', '-mtune=znver3']),
    agrees: validateInvocation(invocation, dialect, compilerName).ok,
  };
}

function assertVerdict(line: CorpusLine): void {
  const { call, labels, text } = line;
  const [verdict, reason] = labels;
  const result = classify(call);
  if (result.kind === 'distributable') {
    const { runs, agrees } = onWorker(line, result.invocation);
    assert.ok(agrees, text);
    const isSame = JSON.stringify(runs) === JSON.stringify(call.args);
    assert.deepEqual([isSame ? 'allow' : 'rewrite', '-'], labels, text);
    return;
  }
  assert.equal(result.reason, reason, text);
  const { args } = parseArguments(call.args, call.dialect);
  const isHarmless = args.some(({ name, form }) => {
    return form !== 'source' && OPTION_INDEX[call.dialect].row(name)?.effect === 'local';
  });
  assert.equal(isHarmless ? 'local' : 'refuse', verdict, text);
}

test('each option that could harm or that names a file has its verdict', () => {
  for (const line of verdicts) assertVerdict(line);
});

test('nothing of a link reaches a worker, nor the processor of the worker an object', () => {
  for (const line of verdicts.filter(({ labels }) => labels[0] === 'rewrite')) {
    const { runs } = onWorker(line, invocationOf(line));
    assert.doesNotMatch(runs.join(' '), /native|plugin|evil|-Wl|-Xlinker/, line.text);
  }
});

test('rendering is the inverse of parsing, for every corpus', () => {
  for (const { text, call } of [...distributable, ...hostile, ...ordinary, ...verdicts]) {
    const { args } = parseArguments(call.args, call.dialect);
    assert.deepEqual(renderArguments(args), call.args, text);
  }
});

test('a worker refuses an invocation whose derived fields do not follow from its arguments', () => {
  const lies: Partial<Invocation>[] = [
    { language: 'objective-c++' },
    { sourcePath: '/etc/shadow' },
    { outputPath: '/etc/passwd' },
    { outputs: [{ kind: 'object', path: '/etc/passwd', required: true }] },
    { depfile: { path: '/etc/passwd', omitsSystemHeaders: false } },
    { includeDirectories: ['/'] },
    { dataFiles: ['/etc/shadow'] },
    { profile: { directories: ['/'], stem: 'x' } },
    { assemblerDirectories: ['/'] },
    { nativeOptions: ['-march=x'] },
  ];
  for (const line of distributable) {
    const invocation = invocationOf(line);
    const { dialect, compilerName } = line.call;
    const { choosesColor, usesOwnAssembler, isRepeatable } = invocation;
    const contrary = [
      { choosesColor: !choosesColor },
      { usesOwnAssembler: !usesOwnAssembler },
      { isRepeatable: !isRepeatable },
    ];
    for (const lie of [...lies, ...contrary]) {
      const verdict = validateInvocation({ ...invocation, ...lie }, dialect, compilerName);
      assert.equal(verdict.ok, false, `${JSON.stringify(lie)}: ${line.text}`);
    }
  }
});

test('a worker refuses an argument in disguise', () => {
  const honest = invocationFromArgs(parseArguments(['-c', 'x.c'], 'gcc').args, 'gcc', 'gcc');
  assert.ok(honest.ok);
  const disguises = [
    { name: '-c', form: 'joined', value: 'x', list: [] },
    { name: '', form: 'source', value: '-fplugin=x.so', list: [] },
    { name: '-f', form: 'joined', value: 'plugin=x', list: [] },
    { name: '-f', form: 'joined', value: 'strict-aliasing', list: honest.invocation.args },
    { name: '-D', form: 'flag', value: '', list: [] },
    { name: '-Wp,', form: 'list', value: '', list: [{ name: '-MD,x', form: 'flag', value: '', list: [] }] },
    {
      name: '-Wp,',
      form: 'list',
      value: '',
      list: [{ name: '-D', form: 'joined', value: 'A,-MF', list: [] }],
    },
    { name: '-Wp,', form: 'list', value: '', list: [] },
    { name: '-unheard-of', form: 'flag', value: '', list: [] },
    { name: '-I', form: 'separate', value: '@x', list: [] },
    { name: '-I', form: 'joined', value: 'a\nb', list: [] },
  ] as const;
  for (const disguise of disguises) {
    const args = [...honest.invocation.args, disguise];
    const verdict = validateInvocation({ ...honest.invocation, args }, 'gcc', 'gcc');
    assert.equal(verdict.ok, false, JSON.stringify(disguise));
  }
});
