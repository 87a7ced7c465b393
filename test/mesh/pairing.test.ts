import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import * as grpc from '@grpc/grpc-js';
import { MeshError } from '../../src/base/errors.ts';
import {
  foundMesh,
  makeCertificateRequest,
  membershipFault,
  type NodeIdentity,
  openIdentity,
} from '../../src/mesh/identity/index.ts';
import {
  formatInvitationCode,
  type Invitation,
  type InvitationClock,
  type InvitationOptions,
  type Joiner,
  joinMesh,
  openInvitation,
  type PairingSighting,
  parseInvitationCode,
} from '../../src/mesh/pairing/index.ts';
import { type JoinReply, type JoinRequest, pairingService } from '../../src/mesh/pairing/pairing-protocol.ts';

const scratch = mkdtempSync(join(tmpdir(), 'meshcc-pairing-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newNode = (hostname = `node${count}`) => openIdentity(join(scratch, `state-${count++}`), { hostname });

async function invite(options: Partial<InvitationOptions> = {}): Promise<Invitation> {
  const identity = options.identity ?? (await foundMesh(await newNode('founder')));
  return openInvitation({ bindAddress: '127.0.0.1', ...options, identity });
}

const at = (port: number) => [{ host: '127.0.0.1', port }];

function pairingError(...parts: (string | RegExp)[]) {
  return (error: unknown) => {
    assert.ok(error instanceof MeshError, String(error));
    assert.equal(error.code, 'MESHCC_PAIRING');
    for (const part of parts) assert.match(error.message, typeof part === 'string' ? new RegExp(part) : part);
    return true;
  };
}

/** The same code with another secret: right mesh, wrong guess. */
function withWrongSecret(code: string): string {
  return formatInvitationCode(parseInvitationCode(code).caFingerprint, randomBytes(10));
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

test('a code survives being read aloud and typed again', () => {
  const fingerprint = randomBytes(32);
  const secret = randomBytes(10);
  const code = formatInvitationCode(fingerprint, secret);
  assert.match(code, /^mc1(-[a-z2-7]{4}){9}$/);
  for (const typed of [
    code,
    code.toUpperCase(),
    ` ${code.replaceAll('-', ' ')}\n`,
    code.replaceAll('o', '0'),
  ]) {
    const parsed = parseInvitationCode(typed);
    assert.deepEqual(parsed.caFingerprint, fingerprint.subarray(0, 10));
    assert.deepEqual(parsed.secret, secret);
    assert.equal(parsed.meshId, fingerprint.subarray(0, 8).toString('hex'));
  }
});

test('a typing error in a code is noticed, wherever it is', () => {
  // Fixed, so that no position can pass by the one chance in a million.
  const code = formatInvitationCode(Buffer.alloc(10, 0x5a), Buffer.alloc(10, 0xc3));
  for (let position = 4; position < code.length; position++) {
    const old = code.charAt(position);
    if (old === '-') continue;
    const typo = code.slice(0, position) + (old === 'x' ? 'y' : 'x') + code.slice(position + 1);
    assert.throws(() => parseInvitationCode(typo), pairingError('mistyped'), `position ${position}`);
  }
  assert.throws(() => parseInvitationCode(code.slice(0, -2)), pairingError('has 34 characters'));
  assert.throws(() => parseInvitationCode('hello'), pairingError('mc1-'));
  assert.throws(() => parseInvitationCode(''), pairingError('mc1-'));
});

test('a node joins with the code, keeps its membership, and the invitation is over', async () => {
  const joiners: Joiner[] = [];
  const founder = await foundMesh(await newNode('founder'));
  const invitation = await invite({ identity: founder, onJoined: (joiner) => joiners.push(joiner) });
  const node = await newNode('board-1');
  const membership = await joinMesh({
    identity: node,
    code: invitation.code,
    addresses: at(invitation.port),
  });
  assert.equal(membership.alreadyMember, false);
  assert.equal(membership.meshId, founder.membership.meshId);
  assert.equal(membership.caKeyPem, undefined, 'the CA key stays with the founder');
  assert.equal(membershipFault(membership, node.keyPem), undefined);
  assert.equal(await invitation.closed, 'used');
  assert.deepEqual(joiners, [{ nodeId: node.nodeId, name: 'board-1' }]);
  assert.equal(await isListening(invitation.port), false);

  const reopened = await openIdentity(join(node.directory, '..'), { hostname: 'board-1' });
  assert.equal(reopened.membership?.meshId, membership.meshId);
  await assert.rejects(
    joinMesh({ identity: await newNode(), code: invitation.code, addresses: at(invitation.port) }),
    pairingError('no inviter could be reached', 'no invitation is open there'),
  );
  const again = await joinMesh({ identity: reopened, code: invitation.code, addresses: [] });
  assert.equal(again.alreadyMember, true);
});

test('two nodes with one code: one is admitted', async () => {
  const invitation = await invite();
  const nodes = await Promise.all([newNode(), newNode(), newNode()]);
  const results = await Promise.allSettled(
    nodes.map((identity) => joinMesh({ identity, code: invitation.code, addresses: at(invitation.port) })),
  );
  assert.equal(results.filter((result) => result.status === 'fulfilled').length, 1);
  assert.equal(await invitation.closed, 'used');
});

test('five wrong secrets void an invitation, four do not', async () => {
  const founder = await foundMesh(await newNode('founder'));
  const guess = async (invitation: Invitation) => {
    const identity = await newNode();
    await assert.rejects(
      joinMesh({ identity, code: withWrongSecret(invitation.code), addresses: at(invitation.port) }),
      pairingError('the code is not that of the invitation now open \\(\\d attempts', 'meshcc invite'),
    );
    assert.equal((await openIdentity(join(identity.directory, '..'))).membership, undefined);
  };
  const patient = await invite({ identity: founder });
  for (let i = 0; i < 4; i++) await guess(patient);
  const node = await newNode();
  await joinMesh({ identity: node, code: patient.code, addresses: at(patient.port) });
  assert.equal(await patient.closed, 'used');

  const guessed = await invite({ identity: founder });
  for (let i = 0; i < 5; i++) await guess(guessed);
  assert.equal(await guessed.closed, 'voided');
  assert.equal(await isListening(guessed.port), false);
});

test('an invitation expires by its timer and can be cancelled', async () => {
  let expire = () => {};
  const delays: number[] = [];
  const clock: InvitationClock = {
    after(delayMs, callback) {
      delays.push(delayMs);
      expire = callback;
      return () => {};
    },
  };
  const founder = await foundMesh(await newNode('founder'));
  const expiring = await invite({ identity: founder, clock });
  assert.deepEqual(delays, [600_000]);
  assert.equal(await isListening(expiring.port), true);
  expire();
  assert.equal(await expiring.closed, 'expired');
  assert.equal(await isListening(expiring.port), false);

  const cancelled = await invite({ identity: founder });
  assert.equal(await cancelled.close(), 'cancelled');
  assert.equal(await cancelled.close(), 'cancelled');
});

test('a connection that says nothing does not keep an invitation open', async () => {
  const invitation = await invite();
  const silent = connect(invitation.port, '127.0.0.1');
  await new Promise((resolve) => silent.once('connect', resolve));
  assert.equal(await invitation.close(), 'cancelled');
  silent.destroy();
});

test('only the founder can invite', async () => {
  const lone = await newNode();
  await assert.rejects(openInvitation({ identity: lone }), pairingError('belongs to no mesh'));
  const invitation = await invite();
  const { alreadyMember: _, ...membership } = await joinMesh({
    identity: lone,
    code: invitation.code,
    addresses: at(invitation.port),
  });
  await assert.rejects(openInvitation({ identity: { ...lone, membership } }), pairingError('founded'));
});

test('a member of one mesh joins another only by force', async () => {
  const settled = await foundMesh(await newNode());
  const invitation = await invite();
  const join = { identity: settled, code: invitation.code, addresses: at(invitation.port) };
  await assert.rejects(joinMesh(join), pairingError(settled.membership.meshId, '--force'));
  const membership = await joinMesh({ ...join, force: true });
  assert.notEqual(membership.meshId, settled.membership.meshId);
});

test('the secret is not said to another mesh, nor to somebody who replays the right CA', async () => {
  const invitation = await invite();
  const stranger = await invite();
  const identity = await newNode();
  await assert.rejects(
    joinMesh({ identity, code: invitation.code, addresses: at(stranger.port) }),
    pairingError('another mesh'),
  );

  // Shows the right chain for the look, then another certificate: what a man in the middle can do.
  const relay = await firstThenOther(invitation.port, stranger.port);
  const relayPort = portOf(relay);
  await assert.rejects(
    joinMesh({ identity, code: invitation.code, addresses: at(relayPort) }),
    pairingError(/certificate|issuer|signature/),
  );
  relay.close();

  // Neither invitation has counted a guess or been used: both still admit.
  for (const open of [invitation, stranger]) {
    await joinMesh({ identity: await newNode(), code: open.code, addresses: at(open.port) });
    assert.equal(await open.closed, 'used');
  }
});

test('the joiner finds the inviter among sightings, past strangers and dead ends', async () => {
  const founder = await foundMesh(await newNode('founder'));
  const other = await invite();
  const invitation = await invite({ identity: founder });
  const { meshId } = founder.membership;
  async function* sightings(): AsyncGenerator<PairingSighting> {
    yield { meshId, addresses: ['127.0.0.1'] };
    yield { meshId: '0123456789abcdef', pairingPort: other.port, addresses: ['127.0.0.1'] };
    yield { pairingPort: other.port, addresses: ['not an address; rm -rf', '127.0.0.1'] };
    yield { meshId, pairingPort: invitation.port, addresses: ['127.0.0.9', '127.0.0.1'] };
    await new Promise(() => {});
  }
  const membership = await joinMesh({
    identity: await newNode(),
    code: invitation.code,
    addresses: sightings(),
  });
  assert.equal(membership.meshId, meshId);

  async function* nothing(): AsyncGenerator<PairingSighting> {
    await new Promise(() => {});
    yield { addresses: [] };
  }
  await assert.rejects(
    joinMesh({ identity: await newNode(), code: other.code, addresses: nothing(), limits: { totalMs: 50 } }),
    pairingError('no node with an open invitation was sighted'),
  );
  await other.close();
});

test('the listener bounds what it reads, and a bad request does not use the invitation up', async () => {
  const founder = await foundMesh(await newNode('founder'));
  const invitation = await invite({ identity: founder });
  const { secret } = parseInvitationCode(invitation.code);
  const good = await makeCertificateRequest((await newNode()).keyPem, 'x');
  const send = (request: JoinRequest) => callRaw(invitation.port, founder.membership.caPem, request);
  await assert.rejects(send({ secret, csrPem: 'x'.repeat(5000), nodeName: 'n' }), /RESOURCE_EXHAUSTED/);
  for (const request of [
    { secret, csrPem: 'no request', nodeName: 'n' },
    { secret, csrPem: good, nodeName: '\u001b[2J' },
    { secret, csrPem: good, nodeName: '' },
  ]) {
    assert.equal((await send(request)).refusal?.reason, 'BAD_REQUEST');
  }
  for (const wrong of [Buffer.alloc(0), secret.subarray(1), Buffer.concat([secret, secret])]) {
    const reply = await send({ secret: wrong, csrPem: good, nodeName: 'n' });
    assert.equal(reply.refusal?.reason, 'WRONG_SECRET');
  }
  const reply = await send({ secret, csrPem: good, nodeName: 'n' });
  assert.equal(reply.admission?.meshId, founder.membership.meshId);
  assert.equal(await invitation.closed, 'used');
});

test('a port that speaks no TLS is a dead end with a reason', async () => {
  const plain = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
  const identity: NodeIdentity = await newNode();
  const { code, close } = await invite().then((i) => ({ code: i.code, close: () => i.close() }));
  await assert.rejects(
    joinMesh({ identity, code, addresses: at(portOf(plain)) }),
    pairingError('no inviter could be reached', `127.0.0.1:${portOf(plain)}`),
  );
  plain.close();
  await close();
});

/** The Join call without the care that the joiner takes. */
function callRaw(port: number, caPem: string, request: JoinRequest): Promise<JoinReply> {
  const client = new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createSsl(Buffer.from(caPem)), {
    'grpc.ssl_target_name_override': 'pairing.meshcc',
    'grpc.enable_http_proxy': 0,
  });
  const { path, requestSerialize, responseDeserialize } = pairingService().join;
  return new Promise<JoinReply>((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, reply) => {
      if (error !== null || reply === undefined) reject(error ?? new Error('no reply'));
      else resolve(reply);
    });
  }).finally(() => client.close());
}

/** A TCP relay whose first connection goes to one port and all later ones to another. */
async function firstThenOther(firstPort: number, otherPort: number): Promise<Server> {
  let connections = 0;
  const relay = createServer((socket) => {
    const upstream = connect(connections++ === 0 ? firstPort : otherPort, '127.0.0.1');
    socket.on('error', () => upstream.destroy());
    upstream.on('error', () => socket.destroy());
    socket.pipe(upstream).pipe(socket);
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  return relay;
}

function portOf(server: Server): number {
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}
