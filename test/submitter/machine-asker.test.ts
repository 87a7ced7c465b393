/** Questions about a worker's machine, over a real connection: what it does not tell stays unknown, and nothing hangs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireMachineAnswer } from '../../src/mesh/index.ts';
import { until } from '../mesh/transport-peers.ts';
import { type ScriptedWorker, scriptedWorker } from './scripted-worker.ts';

/** Answers every question with this. */
function answering(answer: Omit<WireMachineAnswer, 'questionId'>) {
  return {
    welcome: { answersMachineQuestions: true },
    onMessage: (
      { machineQuestion }: { machineQuestion?: { questionId: number } },
      script: ScriptedWorker,
    ) => {
      if (machineQuestion)
        script.send({ machineAnswer: { questionId: machineQuestion.questionId, ...answer } });
    },
  };
}

const FIGURES = {
  processors: 4,
  clockMhz: 1800.5,
  busyClockMhz: 1500,
  latencies: [{ sizeBytes: 2 ** 33, ns: 95.25 }],
  caches: [{ level: 1, sizeBytes: 32_768 }],
};

test('state and figures arrive as they were sent; a zero is a zero, and what is missing is missing', async (t) => {
  const state = { clockMhz: 1700, throttleCount: 0, governor: 'schedutil' };
  const { remote } = await scriptedWorker(t, answering({ state, figures: FIGURES }));
  assert.deepEqual(await remote.machine.ask(true), { state, figures: FIGURES, notMeasured: undefined });
});

test('a node whose meshcc does not know the question is not asked', async (t) => {
  const script = await scriptedWorker(t, { welcome: { agentVersion: '0.0.9' } });
  const { figures, notMeasured } = await script.remote.machine.ask(true);
  assert.equal(figures, undefined);
  assert.equal(notMeasured, 'its meshcc (0.0.9) does not know this question');
  assert.deepEqual(script.session.messages.slice(1), []);
});

test('a refusal is passed on, but nothing that a terminal would obey', async (t) => {
  const { remote } = await scriptedWorker(
    t,
    answering({ state: { governor: '\u001b[31mred' }, notMeasured: 'busy\u001b[2J' }),
  );
  const answer = await remote.machine.ask(true);
  assert.equal(answer.notMeasured, 'busy?[2J');
  assert.deepEqual(answer.state, {});
});

test('figures that are no measurement are none', async (t) => {
  const { remote } = await scriptedWorker(t, answering({ figures: { ...FIGURES, clockMhz: Number.NaN } }));
  const { figures } = await remote.machine.ask(true);
  assert.equal(figures, undefined);
});

test('questions are asked one after the other; an answer to none is passed over', async (t) => {
  const script = await scriptedWorker(t, { welcome: { answersMachineQuestions: true } });
  const asked = () => script.session.messages.flatMap(({ machineQuestion }) => machineQuestion ?? []);
  const first = script.remote.machine.ask(false);
  const second = script.remote.machine.ask(false);
  await until(() => asked().length === 1, 'the first question has come');
  script.send({ machineAnswer: { questionId: 77, state: { clockMhz: 1 } } });
  script.send({ machineAnswer: { questionId: asked()[0]?.questionId ?? 0, state: { clockMhz: 2 } } });
  assert.equal((await first).state.clockMhz, 2);
  await until(() => asked().length === 2, 'the second question has come');
  script.send({ machineAnswer: { questionId: asked()[1]?.questionId ?? 0, state: { clockMhz: 3 } } });
  assert.equal((await second).state.clockMhz, 3);
});

test('a lost connection answers what was asked, and what will be', async (t) => {
  const script = await scriptedWorker(t, { welcome: { answersMachineQuestions: true } });
  const asked = script.remote.machine.ask(true);
  await until(() => script.session.messages.some(({ machineQuestion }) => machineQuestion), 'it was asked');
  script.remote.close();
  assert.equal((await asked).notMeasured, 'closed by this agent');
  assert.equal((await script.remote.machine.ask(false)).notMeasured, 'closed by this agent');
});
