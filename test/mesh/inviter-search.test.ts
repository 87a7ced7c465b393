/** A joiner's search for its inviter: what it says, and how soon it knows that it is in vain. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import { foundMesh, openIdentity } from '../../src/mesh/identity/index.ts';
import {
  type Invitation,
  type InvitationOptions,
  joinMesh,
  openInvitation,
  type PairingSighting,
} from '../../src/mesh/pairing/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'meshcc-search-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const newNode = (hostname = `node${count}`) => openIdentity(join(scratch, `state-${count++}`), { hostname });

async function invite(options: Partial<InvitationOptions> = {}): Promise<Invitation> {
  const identity = options.identity ?? (await foundMesh(await newNode('founder')));
  return openInvitation({ bindAddress: '127.0.0.1', ...options, identity });
}

function pairingError(...parts: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof MeshError, String(error));
    assert.equal(error.code, 'MESHCC_PAIRING');
    for (const part of parts) assert.match(error.message, new RegExp(part));
    return true;
  };
}

/** Sightings that end with waiting, as those of discovery do. */
async function* sightingsOf(...sightings: PairingSighting[]): AsyncGenerator<PairingSighting> {
  yield* sightings;
  await new Promise(() => {});
}

test('a mesh in sight without an open invitation means that the code is over, long before the search is', async () => {
  const founder = await foundMesh(await newNode('founder'));
  const { meshId } = founder.membership;
  const invitation = await invite({ identity: founder });
  const { code, port } = invitation;
  await invitation.close();
  const here = ['127.0.0.1'];
  const scenes: PairingSighting[][] = [
    [{ name: 'laptop', meshId, addresses: here }],
    // Announced when it was open, and heard of when it was over.
    [{ name: 'laptop', meshId, pairingPort: port, addresses: here }],
  ];
  for (const scene of scenes) {
    const said: string[] = [];
    await assert.rejects(
      joinMesh({
        identity: await newNode(),
        code,
        addresses: sightingsOf(...scene),
        limits: { closedMs: 20 },
        onProgress: (sentence) => said.push(sentence),
      }),
      pairingError('it is in sight \\(laptop\\)', 'has been used or has expired', 'meshcc invite'),
    );
    assert.match(said[0] ?? '', new RegExp(`^looking for a node of mesh ${meshId}`));
    assert.ok(said.includes('laptop is a node of that mesh, and has no open invitation'), said.join('\n'));
  }
});

test('an invitation that is announced a moment after its mesh was sighted is found', async () => {
  const founder = await foundMesh(await newNode('founder'));
  const { meshId } = founder.membership;
  const invitation = await invite({ identity: founder });
  const said: string[] = [];
  const joined = await joinMesh({
    identity: await newNode(),
    code: invitation.code,
    addresses: sightingsOf(
      { name: 'board', meshId, addresses: ['127.0.0.1'] },
      { name: 'founder', meshId, pairingPort: invitation.port, addresses: ['127.0.0.1'] },
    ),
    onProgress: (sentence) => said.push(sentence),
  });
  assert.equal(joined.meshId, meshId);
  assert.equal(said.at(-1), `asking 127.0.0.1:${invitation.port}`);
});

test('a search that finds nothing says what to do meanwhile, and ends when nobody waits for it', async () => {
  const invitation = await invite();
  const abort = new AbortController();
  const said: string[] = [];
  const joining = joinMesh({
    identity: await newNode(),
    code: invitation.code,
    addresses: sightingsOf(),
    limits: { hintMs: 1 },
    signal: abort.signal,
    onProgress: (sentence) => {
      said.push(sentence);
      if (said.length === 2) abort.abort();
    },
  });
  await assert.rejects(joining, pairingError('interrupted'));
  assert.match(said[1] ?? '', /no node of that mesh is in sight yet; still looking.*--at HOST:PORT/);
  await invitation.close();
});
