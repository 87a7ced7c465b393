/** The codec, and the agreement of its tables with the C program and the documentation. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { DRIVER_NAMES } from '../../src/compiler/index.ts';
import {
  decodeLocal,
  decodeOutputBegin,
  decodeRequest,
  encodeAccepted,
  encodeCommit,
  encodeCommitted,
  encodeDiscard,
  encodeLocal,
  encodeOutputBegin,
  encodeOutputData,
  encodeRequest,
  encodeRunLocal,
  encodeStderr,
  encodeStdout,
  MAX_DIAGNOSTIC_BYTES,
  MAX_OUTPUTS,
  MAX_TEXT_BYTES,
  renderShimTables,
  SHIM_FRAMES,
  SHIM_LOCAL_CAUSES,
  SHIM_PROTOCOL_VERSION,
  SHIM_REASONS,
  type ShimFrame,
  ShimFrameDecoder,
  type ShimRequest,
  STALL_MS,
} from '../../src/shim/index.ts';

const REQUEST: Omit<ShimRequest, 'isFaithful'> = {
  compiler: '/usr/bin/gcc',
  name: 'gcc',
  cwd: '/home/ü',
  args: ['-c', '', 'a b.c'],
  env: { LANG: 'C', PWD: 'a=b' },
  umask: 0o27,
  pid: 77,
  stdoutIsTerminal: true,
  stdinIsTerminal: false,
  stderrIsTerminal: false,
  columns: 80,
  rows: 24,
};
const OUTPUT = { index: 3, sizeBytes: 2 ** 33, finalPath: '/a/b.o', temporaryPath: '/a/.b.tmp' };
const ALL_FRAMES = [
  encodeRequest(REQUEST),
  encodeCommitted(),
  encodeLocal('STALLED', 'why'),
  encodeAccepted(),
  encodeRunLocal('reason', 'detail'),
  encodeOutputBegin(OUTPUT),
  encodeOutputData(3, Buffer.from('data')),
  encodeDiscard(),
  encodeStdout(Buffer.from('out')),
  encodeStderr(Buffer.from('err')),
  encodeCommit(255),
];

function read(...path: string[]): string {
  return readFileSync(join(PACKAGE_ROOT, ...path), 'utf8');
}

const C_SOURCE = ['meshcc-shim.c', 'called-as.h', 'agent-socket.h']
  .map((file) => read('src/shim', file))
  .join('\n');
const isProtocolError = { name: 'MeshError', code: 'MESHCC_PROTOCOL' };

test('frames come out as they went in, however the stream is cut', () => {
  const stream = Buffer.concat(ALL_FRAMES);
  for (const pieceBytes of [1, 3, 8, 50, stream.length]) {
    const decoder = new ShimFrameDecoder();
    const frames: ShimFrame[] = [];
    for (let at = 0; at < stream.length; at += pieceBytes) {
      frames.push(...decoder.push(stream.subarray(at, at + pieceBytes)));
    }
    assert.deepEqual(
      frames.map((frame) => frame.name),
      Object.keys(SHIM_FRAMES),
    );
    assert.equal(decoder.isIdle, true);
    const payload = (index: number) => frames[index]?.payload ?? Buffer.alloc(0);
    assert.deepEqual(decodeRequest(payload(0)), {
      ...REQUEST,
      env: Object.assign(Object.create(null), REQUEST.env),
      isFaithful: true,
    });
    assert.deepEqual(decodeLocal(payload(2)), { cause: 'STALLED', detail: 'why' });
    assert.deepEqual(decodeOutputBegin(payload(5)), OUTPUT);
    assert.equal(payload(6).toString('latin1'), '\x03\0\0\0data');
    assert.equal(payload(4).toString(), 'reason\0detail\0');
  }
});

test('a cut frame, an unknown type and a payload that is too long', () => {
  const decoder = new ShimFrameDecoder(100);
  assert.deepEqual(decoder.push(encodeAccepted().subarray(0, 5)), []);
  assert.equal(decoder.isIdle, false);
  const unknown = Buffer.from([9, 0, 0, 0, 0, 0, 0, 0]);
  assert.throws(() => new ShimFrameDecoder().push(unknown), isProtocolError);
  assert.throws(() => new ShimFrameDecoder(100).push(encodeStdout(Buffer.alloc(101))), isProtocolError);
  assert.equal(new ShimFrameDecoder(100).push(encodeStdout(Buffer.alloc(100))).length, 1);
});

test('a request of another version, or one that contradicts itself, is refused', () => {
  const payload = encodeRequest(REQUEST).subarray(8);
  const changed = (offset: number, value: number) => {
    const copy = Buffer.from(payload);
    copy.writeUInt32LE(value, offset);
    return copy;
  };
  assert.throws(() => decodeRequest(changed(0, 2)), { ...isProtocolError, message: /protocol version 2/ });
  assert.throws(() => decodeRequest(changed(24, 4)), { ...isProtocolError, message: /announced/ });
  assert.throws(() => decodeRequest(changed(28, 0)), isProtocolError);
  assert.throws(() => decodeRequest(payload.subarray(0, -1)), isProtocolError);
  assert.throws(() => decodeRequest(payload.subarray(0, 20)), isProtocolError);
  assert.throws(
    () => decodeRequest(encodeRequest({ ...REQUEST, cwd: 'relative' }).subarray(8)),
    isProtocolError,
  );
  assert.throws(
    () => decodeRequest(encodeRequest({ ...REQUEST, env: { '': 'x' } }).subarray(8)),
    isProtocolError,
  );
  assert.throws(() => decodeLocal(Buffer.alloc(3)), isProtocolError);
  assert.throws(() => decodeLocal(Buffer.from([9, 0, 0, 0])), isProtocolError);
  assert.throws(() => encodeStderr(Buffer.alloc(MAX_DIAGNOSTIC_BYTES + 1)), isProtocolError);
});

test('text that is not UTF-8 is told', () => {
  const payload = encodeRequest({ ...REQUEST, args: ['-DX=~'] }).subarray(8);
  payload[payload.indexOf('~')] = 0xff;
  assert.equal(decodeRequest(payload).isFaithful, false);
});

test('a variable called __proto__ is only a variable', () => {
  const env = JSON.parse('{"__proto__": "x"}');
  const request = decodeRequest(encodeRequest({ ...REQUEST, env }).subarray(8));
  assert.deepEqual(Object.keys(request.env), ['__proto__']);
});

/** `NAME = number` pairs of a C enumeration whose names have a prefix. */
function cConstants(prefix: string): Record<string, number> {
  const pairs = [...C_SOURCE.matchAll(new RegExp(`\\b${prefix}(\\w+) = (\\d+)(?: << (\\d+))?`, 'g'))];
  return Object.fromEntries(
    pairs.map(([, name = '', value, shift]) => [name, Number(value) << Number(shift ?? 0)]),
  );
}

function ids(table: Readonly<Record<string, { readonly id: number }>>): Record<string, number> {
  return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, row.id]));
}

test('the C program knows the same numbers, names and reasons', () => {
  assert.deepEqual(cConstants('FRAME_'), ids(SHIM_FRAMES));
  assert.deepEqual(cConstants('CAUSE_'), ids(SHIM_LOCAL_CAUSES));
  assert.deepEqual(cConstants('MAX_'), {
    OUTPUTS: MAX_OUTPUTS,
    TEXT_BYTES: MAX_TEXT_BYTES,
    DIAGNOSTIC_BYTES: MAX_DIAGNOSTIC_BYTES,
  });
  assert.equal(cConstants('PROTOCOL_').VERSION, SHIM_PROTOCOL_VERSION);
  assert.equal(cConstants('STALL_').MS, STALL_MS);
  const names = /NAMES\[\] = \{(.+)\}/.exec(C_SOURCE)?.[1]?.match(/[^", ]+/g);
  assert.deepEqual(names?.sort(), Object.keys(DRIVER_NAMES).sort());
  const calls = C_SOURCE.matchAll(/(?:run_local|leave_agent|no_agent)\([^"]*?, "([a-z-]+)"/g);
  assert.deepEqual(
    [...new Set([...calls].map(([, reason]) => reason))].sort(),
    Object.keys(SHIM_REASONS).sort(),
  );
});

test('the documentation holds the tables of the code', () => {
  const between = /<!-- tables: generated -->\n([\s\S]*)\n<!-- \/tables -->/.exec(
    read('docs/shim-protocol.md'),
  )?.[1];
  assert.equal(between?.trim(), renderShimTables());
});
