/** The frame format: one table here, one in C, one in the document, all the same; and any cut of the stream. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { FAULT_CAUSES, IRREGULAR_TYPES } from '../../src/sandbox/cell-job.ts';
import { adviceFor, CONFINEMENT_OBSTACLES } from '../../src/sandbox/confinement-obstacles.ts';
import * as wire from '../../src/sandbox/wire.ts';

/** Every table of codes: the prefix of its names in C, and its rows. */
const TABLES: readonly [string, readonly (readonly [string, number])[]][] = [
  ['REQUEST_', Object.entries(wire.REQUEST_TYPES)],
  ['REPLY_', Object.entries(wire.REPLY_TYPES)],
  ['STEP_', Object.entries(wire.SETUP_STEPS).map(([name, row]) => [name, row.code])],
  ['FAULT_', codesSentByTheRunner(FAULT_CAUSES)],
  ['IRREGULAR_', codesSentByTheRunner(IRREGULAR_TYPES)],
];

function codesSentByTheRunner(table: Record<string, { code: number }>): [string, number][] {
  return Object.entries(table)
    .map(([name, row]): [string, number] => [name, row.code])
    .filter(([, code]) => code !== 0);
}

function definitions(prefix: string): Map<string, number> {
  const header = readFileSync(join(PACKAGE_ROOT, 'src/sandbox/runner-frames.h'), 'utf8');
  const found = header.matchAll(new RegExp(`^#define ${prefix}([A-Z_]+) (\\d+)u$`, 'gm'));
  return new Map([...found].map((match) => [match[1] ?? '', Number(match[2])]));
}

describe('the tables of codes', () => {
  for (const [prefix, rows] of TABLES) {
    it(`${prefix}* is the same in C and in the document`, () => {
      const expected = rows.map(([name, code]) => [name.toUpperCase().replaceAll('-', '_'), code] as const);
      assert.deepEqual(definitions(prefix), new Map(expected));
      const document = readFileSync(join(PACKAGE_ROOT, 'docs/runner-protocol.md'), 'utf8');
      for (const [name, code] of rows)
        assert.ok(document.includes(`| ${code} | ${name} |`), `${code} ${name}`);
    });
  }

  it('has the same bounds in C', () => {
    const header = readFileSync(join(PACKAGE_ROOT, 'src/sandbox/runner-frames.h'), 'utf8');
    assert.equal(wire.MAX_REQUEST_BYTES, 1 << 20);
    assert.match(header, /MAX_REQUEST_BYTES \(1u << 20\)/);
    assert.equal(wire.MAX_READ_BYTES, 256 << 10);
    assert.match(header, /MAX_READ_BYTES \(256u << 10\)/);
    assert.match(header, new RegExp(`PROTOCOL_VERSION ${wire.PROTOCOL_VERSION}u`));
  });
});

function frame(type: number, body: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt32LE(body.length, 0);
  header.writeUInt32LE(type, 4);
  return Buffer.concat([header, body]);
}

describe('FrameReader', () => {
  const fault = Buffer.concat([Buffer.from([9, 0, 0, 0, 1, 0, 0, 0]), Buffer.from('too slow\0')]);
  const stream = Buffer.concat([
    frame(wire.REPLY_TYPES.READY, Buffer.from([2, 0, 0, 0, 7, 0, 0, 0])),
    frame(wire.REPLY_TYPES.DATA, Buffer.alloc(0)),
    frame(wire.REPLY_TYPES.FAULT, fault),
    frame(wire.REPLY_TYPES.DATA, Buffer.from('bytes')),
  ]);
  const expected = [
    { type: 'ready', version: 2, landlock: 7 },
    { type: 'data', bytes: Buffer.alloc(0) },
    { type: 'fault', job: 9, cause: 'wall-limit', detail: 'too slow' },
    { type: 'data', bytes: Buffer.from('bytes') },
  ];

  it('gives the same replies for pieces of every length', () => {
    for (let pieceBytes = 1; pieceBytes <= stream.length; pieceBytes++) {
      const reader = new wire.FrameReader();
      const replies: wire.RunnerReply[] = [];
      for (let at = 0; at < stream.length; at += pieceBytes) {
        replies.push(...reader.push(stream.subarray(at, at + pieceBytes)));
      }
      assert.deepEqual(replies, expected);
    }
  });

  it('refuses what is not of the protocol', () => {
    const damaged = [
      frame(7, Buffer.alloc(0)),
      frame(wire.REPLY_TYPES.READY, Buffer.alloc(2)),
      frame(wire.REPLY_TYPES.FAULT, fault.subarray(0, -1)),
      frame(
        wire.REPLY_TYPES.FAULT,
        Buffer.concat([Buffer.from([9, 0, 0, 0, 77, 0, 0, 0]), Buffer.from('\0')]),
      ),
    ];
    for (const bytes of damaged) {
      assert.throws(() => new wire.FrameReader().push(bytes), { code: 'MESHCC_PROTOCOL' });
    }
  });
});

describe('advice', () => {
  const refusal = { type: 'refused', step: 'mounts', errno: 13, detail: '' } as const;

  for (const obstacle of CONFINEMENT_OBSTACLES) {
    it(`is found for ${obstacle.setting} = ${obstacle.value}`, () => {
      const read = (name: string) => (name === obstacle.setting ? `${obstacle.value}\n` : '17\n');
      assert.equal(adviceFor(refusal, read, false), obstacle.advice);
      assert.equal(adviceFor(refusal, read, true) === obstacle.advice, !obstacle.unprivilegedOnly);
    });
  }

  it('tells the kernel that has no overlay for ordinary users from a lack of namespaces', () => {
    const nothing = () => undefined;
    assert.match(adviceFor({ ...refusal, step: 'overlay' }, nothing, false) ?? '', /5\.11/);
    assert.match(adviceFor({ ...refusal, step: 'overlay' }, nothing, true) ?? '', /modprobe/);
    assert.match(adviceFor(refusal, nothing, true) ?? '', /container/);
    assert.match(adviceFor({ ...refusal, step: 'chroot' }, nothing, true) ?? '', /MKNOD/);
    assert.match(
      adviceFor({ ...refusal, step: 'chroot' }, nothing, false) ?? '',
      /only an agent that is root/,
    );
    assert.match(adviceFor({ ...refusal, step: 'filter' }, nothing, true) ?? '', /SECCOMP/);
    assert.equal(adviceFor({ ...refusal, step: 'tree' }, nothing, true), undefined);
    assert.equal(adviceFor(undefined, nothing, true), undefined);
  });
});
