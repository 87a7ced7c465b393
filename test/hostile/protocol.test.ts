/** Lies in the protocol itself: who one is, what one may send, how much, and what belongs to others. */
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { digestOf } from '../../src/base/digest.ts';
import { PROTOCOL_VERSION } from '../../src/mesh/index.ts';
import { scratchDirectory, twoMembers, until } from '../mesh/transport-peers.ts';
import { file } from '../worker/raw-submitter.ts';
import { type Arena, type Cases, openArena, runCases } from './arena.ts';
import { flag, type Liar, list, outcome } from './liar.ts';
import { bytesOf, RawWire, rawWire } from './raw-wire.ts';

const PLAIN = 'int x;\n';

const hello = (arena: Arena, change: object = {}) =>
  bytesOf({
    hello: {
      protocolVersion: PROTOCOL_VERSION,
      nodeId: arena.liarMember.nodeId,
      nodeName: 'liar',
      agentVersion: '0',
      ...change,
    },
  });

/** Does something on a wire of its own, and closes it. */
async function onWire(arena: Arena, perform: (wire: RawWire) => Promise<void>): Promise<void> {
  const wire = rawWire(arena.address, arena.liarMember.security, arena.workerMember.nodeId);
  try {
    await perform(wire);
  } finally {
    wire.close();
  }
}

/** First messages that begin no session, and how the stream ends. */
const FIRST_WORDS: Record<string, [(arena: Arena) => Buffer[], RegExp]> = {
  'a job before any greeting': [() => [bytesOf({ cancel: { jobId: 1 } })], /INVALID_ARGUMENT.*Hello/],
  'an empty message': [() => [Buffer.alloc(0)], /INVALID_ARGUMENT.*Hello/],
  'random bytes': [() => [randomBytes(5_000)], /INTERNAL|INVALID_ARGUMENT/],
  'a number that does not end': [() => [Buffer.alloc(64, 0xff)], /INTERNAL|INVALID_ARGUMENT/],
  'a field that is longer than its message': [() => [Buffer.from([0x0a, 0xff, 0xff, 0x03, 1])], /INTERNAL/],
  'the id of another node': [
    (arena) => [hello(arena, { nodeId: arena.workerMember.nodeId })],
    /PERMISSION_DENIED.*certificate/,
  ],
  'the id of nobody': [(arena) => [hello(arena, { nodeId: '' })], /PERMISSION_DENIED/],
  'another version of the protocol': [
    (arena) => [hello(arena, { protocolVersion: 4_000_000_000 })],
    /FAILED_PRECONDITION/,
  ],
  'a message of nine megabytes': [(arena) => [hello(arena), Buffer.alloc(9 << 20)], /RESOURCE_EXHAUSTED/],
};

const firstWords: Cases = Object.fromEntries(
  Object.entries(FIRST_WORDS).map(([what, [messages, end]]) => [
    `a stream that begins with ${what}`,
    (_liar, arena) =>
      onWire(arena, async (wire) => {
        const stream = wire.open('Work');
        stream.send(...messages(arena));
        assert.match(await stream.end(), end);
      }),
  ]),
);

const streams: Cases = {
  'fields that nobody knows': (_liar, arena) =>
    onWire(arena, async (wire) => {
      const stream = wire.open('Work');
      // Field 1000 with a text, then the greeting: an older agent must be able to talk to a newer one.
      const unknown = Buffer.concat([Buffer.from([0xc2, 0x3e, 0x05]), Buffer.from('hello')]);
      stream.send(Buffer.concat([unknown, hello(arena)]));
      await until(() => stream.received >= 2, 'the welcome and the first credits');
      stream.send(unknown, unknown, Buffer.alloc(0));
      stream.cancel();
    }),

  'a greeting of eight megabytes': (_liar, arena) =>
    onWire(arena, async (wire) => {
      const stream = wire.open('Work');
      stream.send(hello(arena, { nodeName: 'n'.repeat(7 << 20) }));
      await until(() => stream.received >= 1 || stream.ended !== undefined, 'an answer');
      stream.cancel();
    }),

  'a greeting by a name that ends lines and colours terminals': (_liar, arena) =>
    onWire(arena, async (wire) => {
      const stream = wire.open('Work');
      stream.send(hello(arena, { nodeName: '\u001b[31mred\nWARN an attack' }));
      await until(() => stream.received >= 2, 'the welcome and the first credits');
      assert.ok(!arena.worker.log.includes('\u001b'));
      assert.ok(!/^WARN an attack/m.test(arena.worker.log));
      assert.ok((await arena.worker.status()).worker.submitters.every(({ name }) => /^[\w.-]+$/.test(name)));
      stream.cancel();
    }),

  'a second greeting': async (liar, arena) => {
    liar.send({
      hello: { protocolVersion: 9, nodeId: arena.workerMember.nodeId, nodeName: 'x', agentVersion: '' },
    });
    outcome.compiled(await liar.compile(PLAIN));
  },

  'contents for a session that does not exist, or belongs to another': (liar, arena) =>
    onWire(arena, async (wire) => {
      const own = liar.link.welcome.sessionId;
      for (const id of [undefined, '', randomUUID(), `${own}x`, '__proto__', 'constructor'])
        assert.match(await wire.open('Blobs', id).end(), /NOT_FOUND/);
    }),

  'two hundred streams on one connection': (_liar, arena) =>
    onWire(arena, async (wire) => {
      const all = Array.from({ length: 200 }, () => wire.open('Work'));
      for (const stream of all) stream.send(hello(arena));
      // Four sessions of one node at most, one of which this case has already.
      await until(
        () => all.filter(({ ended }) => ended !== undefined).length > 40,
        'streams are turned away',
      );
      for (const { ended } of all)
        if (ended !== undefined) assert.match(ended, /connections here already|RESOURCE_EXHAUSTED|CANCELLED/);
      for (const stream of all) stream.cancel();
    }),

  'a hundred connections one after the other': async (_liar, arena) => {
    for (let index = 0; index < 100; index++)
      await onWire(arena, async (wire) => {
        const stream = wire.open('Work');
        stream.send(hello(arena));
        await until(() => stream.received > 0 || stream.ended !== undefined, 'an answer');
      });
  },

  'ten thousand empty messages': (_liar, arena) =>
    onWire(arena, async (wire) => {
      const stream = wire.open('Work');
      stream.send(hello(arena));
      for (let index = 0; index < 10_000; index++) stream.send(Buffer.alloc(0));
      await until(() => stream.received >= 2, 'the welcome');
      stream.cancel();
    }),
};

/** Who is no member does not get as far as a stream. */
async function strangers(t: TestContext, arena: Arena): Promise<void> {
  const [, foreigner] = await twoMembers(t);
  const wires: Record<string, () => RawWire> = {
    'without TLS': () => new RawWire(arena.address, grpc.credentials.createInsecure(), {}),
    'without a certificate': () => {
      const { caPem } = arena.liarMember.security;
      return new RawWire(arena.address, grpc.credentials.createSsl(Buffer.from(caPem)), nameOf(arena));
    },
    'with a certificate of another mesh': () =>
      new RawWire(arena.address, foreignCredentials(arena, foreigner.security), nameOf(arena)),
  };
  for (const [what, wire] of Object.entries(wires)) {
    await t.test(`a stranger ${what}`, () =>
      arena.attack(async () => {
        const stranger = wire();
        const stream = stranger.open('Work');
        stream.send(hello(arena));
        assert.match(await stream.end(), /UNAVAILABLE/);
        assert.equal(stream.received, 0);
        stranger.close();
      }),
    );
  }
  await t.test('a stranger that speaks no TLS, and one that says nothing', () =>
    arena.attack(async () => {
      const [host = '', port] = arena.address.split(':');
      const silent = Array.from({ length: 50 }, () => connect(Number(port), host));
      const talking = connect(Number(port), host);
      for (const socket of [...silent, talking]) socket.on('error', () => {});
      talking.write(randomBytes(100_000));
      await until(() => talking.destroyed, 'the worker closes the connection');
      await arena.honest.goesOn();
      for (const socket of silent) socket.destroy();
    }),
  );
}

function nameOf({ workerMember }: Arena): grpc.ChannelOptions {
  const name = `${workerMember.nodeId}.node.meshcc`;
  return { 'grpc.ssl_target_name_override': name, 'grpc.default_authority': name };
}

/** Believes the worker, and shows what another authority has signed. */
function foreignCredentials(
  arena: Arena,
  { keyPem, certificatePem }: { keyPem: string; certificatePem: string },
) {
  const { caPem } = arena.liarMember.security;
  return grpc.credentials.createSsl(Buffer.from(caPem), Buffer.from(keyPem), Buffer.from(certificatePem));
}

const sessions: Cases = {
  'more jobs than credits': async (liar) => {
    const ids = liar.file(`${liar.home}/${liar.sourceName}`, PLAIN);
    for (let index = 0; index < 50; index++) liar.send({ job: liar.jobFor(ids, { toolchainRef: 9 }) });
    assert.match(await liar.endOfConnection(), /a job without a credit/);
  },

  'a job that is under way already': async (liar) => {
    const job = liar.jobFor(
      liar.withheld(`${liar.home}/${liar.sourceName}`, `int ${liar.sourceName.length};`),
    );
    liar.send({ job }, { job });
    assert.match(await liar.endOfConnection(), /job 1 is under way already/);
  },

  'the number of a job that is over': async (liar) => {
    outcome.compiled(await liar.compile(PLAIN, { jobId: 7 }));
    const count = liar.results.length;
    liar.send({ job: liar.jobFor(liar.file(`${liar.home}/${liar.sourceName}`, PLAIN), { jobId: 7 }) });
    await until(() => liar.results.length > count, 'the second result');
  },

  'cancels of jobs that are not its own': async (liar, arena) => {
    for (let jobId = 0; jobId < 5_000; jobId++) liar.send({ cancel: { jobId } });
    liar.send({ cancel: { jobId: 2 ** 60 } });
    await arena.honest.goesOn();
    outcome.compiled(await liar.compile(PLAIN, { jobId: 6_000 }));
  },

  'a job that is taken back a thousand times': async (liar) => {
    const job = liar.jobFor(
      liar.withheld(`${liar.home}/${liar.sourceName}`, `int c_${liar.sourceName.length};`),
    );
    liar.send({ job });
    for (let round = 0; round < 1_000; round++) liar.send({ cancel: { jobId: job.jobId } });
    await until(() => liar.resultOf(job.jobId) !== undefined, 'the end of the job');
    assert.ok(liar.resultOf(job.jobId)?.busy);
  },

  'jobs that wait for ever for their sources': async (liar, arena) => {
    const jobs = Array.from({ length: liar.granted }, (_, index) =>
      liar.jobFor(liar.withheld(`${liar.home}/never-${index}.h`, `never ${liar.home} ${index}`)),
    );
    for (const job of jobs) liar.send({ job });
    await until(() => liar.asked.length >= jobs.length, 'the worker asks');
    await arena.honest.goesOn();
    assert.equal(liar.results.length, 0);
  },

  'room for outputs that nobody asked for': async (liar) => {
    for (const sizeBytes of [0, 1, 2 ** 53, 2 ** 63]) liar.send({ outputCredit: { jobId: 1, sizeBytes } });
    const job = liar.jobFor(
      liar.file(
        `${liar.home}/${liar.sourceName}`,
        '__asm__(".data\\n.rept 500000\\n.quad 1\\n.endr");\nint x;\n',
      ),
    );
    liar.send({ job });
    await until(() => liar.heard.some(({ outputChunk }) => outputChunk), 'the output begins');
    for (let round = 0; round < 1_000; round++)
      liar.send({ outputCredit: { jobId: job.jobId, sizeBytes: 2 ** 53 } });
    await until(() => liar.resultOf(job.jobId) !== undefined, 'the result');
    outcome.compiled(liar.resultOf(job.jobId)!);
  },

  'a result of another submitter': async (liar, arena) => {
    // Numbers of jobs are each stream's own: to ask for one of another stream is to ask for nothing.
    const before = liar.heard.length;
    for (let jobId = 1; jobId < 200; jobId++) liar.send({ outputCredit: { jobId, sizeBytes: 1 << 20 } });
    await arena.honest.goesOn();
    const heard = liar.heard.slice(before).filter((message) => message.outputChunk || message.result);
    assert.deepEqual(heard, []);
  },

  'a content of another submitter, named by its digest': async (liar, arena) => {
    // What the honest one has stored may be in the store; a liar that knows the digest must know the content.
    const text = '#define SHARED(x) ((x) * 3 + 1)\nstatic inline int shared(int n) { return SHARED(n); }\n';
    await arena.honest.goesOn();
    const ids = [...liar.directory(liar.home), liar.entry(`${liar.home}/guess.h`, { file: file(text) })];
    const result = await liar.compile('#include "guess.h"\nint y = SHARED(1);\n', {}, ids);
    assert.ok(!liar.asked.includes(digestOf(text)) || result.compiled, JSON.stringify(result));
  },

  'three hundred toolchains': async (liar) => {
    for (let ref = 2; ref < 300; ref++)
      liar.send({
        toolchainUse: {
          ref,
          toolchainId: 'f'.repeat(64),
          compilerPath: '/x/gcc',
          files: [],
          directories: [],
          links: [],
          programDirectories: [],
        },
      });
    assert.match(await liar.endOfConnection(), /more than 256 toolchains/);
  },

  'twenty thousand known arguments': async (liar) => {
    const args = Array.from({ length: 1_000 }, (_, index) => flag(`-DX${index}`));
    for (let round = 0; round < 20; round++) liar.send({ knownArguments: { arguments: args } });
    assert.match(await liar.endOfConnection(), /known arguments/);
  },

  'known arguments that nest thirty deep': async (liar) => {
    let deep = flag('-DX');
    for (let level = 0; level < 30; level++) deep = list('-Wp,', deep);
    liar.send({ knownArguments: { arguments: [deep] } });
    const result = await liar.compile(PLAIN, { argumentNumbers: Buffer.from([1]), arguments: [] });
    assert.ok(result.refused, JSON.stringify(result));
  },

  'messages that nest ten thousand deep': async (liar) => {
    // Bytes, because no encoder makes it: a list in a list, each a few bytes longer than the one in it.
    let bytes = Buffer.alloc(0);
    for (let level = 0; level < 10_000; level++) {
      const length: number[] = [];
      for (let rest = bytes.length; ; rest >>>= 7) {
        length.push(rest > 0x7f ? (rest & 0x7f) | 0x80 : rest);
        if (rest <= 0x7f) break;
      }
      bytes = Buffer.concat([Buffer.from([0x22, ...length]), bytes]);
    }
    await nestedJob(liar, bytes);
  },
};

let nestedJob: (liar: Liar, argument: Buffer) => Promise<void> = async () => {};

test('a liar about the protocol', async (t) => {
  const arena = await openArena(t);
  assert.ok(scratchDirectory(t) !== '');
  nestedJob = (_liar, argument) =>
    onWire(arena, async (wire) => {
      const varint = (value: number): number[] =>
        value > 0x7f ? [(value & 0x7f) | 0x80, ...varint(value >>> 7)] : [value];
      const job = Buffer.concat([Buffer.from([0x22, ...varint(argument.length)]), argument]);
      const stream = wire.open('Work');
      stream.send(hello(arena), Buffer.concat([Buffer.from([0x2a, ...varint(job.length)]), job]));
      await until(() => stream.ended !== undefined || stream.received >= 3, 'an answer');
      stream.cancel();
    });
  for (const cases of [firstWords, streams, sessions]) await runCases(t, arena, cases);
  await strangers(t, arena);
});
