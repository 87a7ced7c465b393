import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { createDiscovery, type Sighting, sightingStream } from '../../src/mesh/discovery/index.ts';
import { foundMesh, openIdentity } from '../../src/mesh/identity/index.ts';
import { joinMesh, openInvitation } from '../../src/mesh/pairing/index.ts';

interface PeerEvent {
  readonly event: 'sighting' | 'expired' | 'warning';
  readonly sighting?: Sighting;
  readonly nodeId?: string;
  readonly message?: string;
}

const running = new Set<Peer>();
afterEach(async () => {
  for (const peer of running) await peer.kill();
  running.clear();
});

/** Every test uses ids of its own, so that none sees the leftovers of another. */
const run = Array.from({ length: 5 }, () => 'abcdefghijklmnopqrstuvwxyz'.charAt(Math.random() * 26)).join('');
let serial = 0;
const newId = () => `${'abcdefghijklmnopqrstuvwxyz'.charAt(serial++)}${run}`.padEnd(32, 'z');

/** A discovery in a process of its own, and what it has told so far. */
class Peer {
  readonly nodeId = newId();
  readonly events: PeerEvent[] = [];
  readonly #child: ChildProcess;
  readonly #changes = new EventEmitter();

  constructor(port: number, options: object, namespace?: string) {
    const program = fileURLToPath(new URL('./discovery-peer.js', import.meta.url));
    const command = [process.execPath, program, this.nodeId, String(port), JSON.stringify(options)];
    if (namespace !== undefined) command.unshift('ip', 'netns', 'exec', namespace);
    this.#child = spawn(command[0] ?? '', command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] });
    assert.ok(this.#child.stdout);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line));
      this.#changes.emit('event');
    });
    running.add(this);
  }

  /** Waits for an event; the test runner's time limit ends a wait in vain. */
  async until(matches: (event: PeerEvent) => boolean): Promise<PeerEvent> {
    for (;;) {
      const found = this.events.find(matches);
      if (found !== undefined) return found;
      await once(this.#changes, 'event');
    }
  }

  async sees(other: Peer, matches: (sighting: Sighting) => boolean = () => true): Promise<Sighting> {
    const { sighting } = await this.until(
      (e) => e.sighting !== undefined && e.sighting.nodeId === other.nodeId && matches(e.sighting),
    );
    assert.ok(sighting);
    return sighting;
  }

  async loses(other: Peer): Promise<void> {
    await this.until((e) => e.event === 'expired' && e.nodeId === other.nodeId);
  }

  tell(command: string): void {
    this.#child.stdin?.write(`${command}\n`);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }

  async exited(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}

const TIMEOUT = { timeout: 60_000 };
/** For tests that make network namespaces. */
const AS_ROOT = { ...TIMEOUT, skip: process.getuid?.() !== 0 && 'needs root' };
const onLoopback = { interfaces: ['lo'], expiryMs: 3000 };

test(
  'three processes on the loopback interface find each other, and notice changes and ends',
  TIMEOUT,
  async () => {
    const mesh = '0123456789abcdef';
    const [a, b, c] = [
      new Peer(4001, { ...onLoopback, meshId: mesh }),
      new Peer(4002, onLoopback),
      new Peer(4003, onLoopback),
    ];
    await Promise.all([a.sees(b), a.sees(c), b.sees(a), b.sees(c), c.sees(a), c.sees(b)]);
    const sighting = await b.sees(a);
    assert.deepEqual(
      { ...sighting, seenAtMs: 0, version: '' },
      {
        nodeId: a.nodeId,
        name: `host.${a.nodeId.slice(0, 4)}`,
        version: '',
        meshId: mesh,
        insecure: false,
        port: 4001,
        addresses: sighting.addresses,
        interfaceName: 'lo',
        seenAtMs: 0,
      },
    );
    assert.equal(sighting.addresses[0], '127.0.0.1');

    // Longer than the expiry: who answers the queries stays.
    const seenBefore = sighting.seenAtMs;
    await b.sees(a, (later) => later.seenAtMs > seenBefore + 3500);
    assert.ok(!b.events.some((e) => e.event === 'expired'));

    a.tell('update {"port":5001,"pairingPort":6001}');
    await Promise.all([
      b.sees(a, (s) => s.port === 5001 && s.pairingPort === 6001),
      c.sees(a, (s) => s.port === 5001),
    ]);
    assert.ok(!b.events.some((e) => e.event === 'expired'), 'a change is not an end');

    await c.kill('SIGKILL');
    await Promise.all([a.loses(c), b.loses(c)]);
    assert.ok(!a.events.some((e) => e.nodeId === b.nodeId));
    for (const peer of [a, b, c]) {
      assert.ok(!peer.events.some((e) => e.sighting?.nodeId === peer.nodeId), 'nobody sees himself');
      assert.ok(!peer.events.some((e) => e.event === 'warning'));
    }
  },
);

test('a goodbye removes a node long before it would expire', TIMEOUT, async () => {
  const options = { interfaces: ['lo'], expiryMs: 3_600_000 };
  const [a, b] = [new Peer(4001, options), new Peer(4002, options)];
  await Promise.all([a.sees(b), b.sees(a)]);
  b.tell('stop');
  await b.exited();
  await a.loses(b);
});

test('an update in the moment of the start leaves only the new values', TIMEOUT, async () => {
  const a = new Peer(4001, onLoopback);
  const nodeId = newId();
  const b = createDiscovery({
    nodeId,
    name: 'b',
    port: 4100,
    insecure: false,
    interfaces: ['lo'],
    log: quiet,
  });
  b.start();
  b.update({ port: 4101 });
  b.update({ port: 4102 });
  // By id: other agents of this machine may announce themselves on the loopback too.
  const isB = (e: PeerEvent) => e.sighting?.nodeId === nodeId;
  try {
    await a.until((e) => isB(e) && e.sighting?.port === 4102);
    const settledAt = a.events.length;
    // A revived service would announce itself again after three seconds.
    const startMs = performance.now();
    await a.until((e) => isB(e) && performance.now() - startMs > 4500);
    assert.deepEqual(
      new Set(
        a.events
          .slice(settledAt)
          .filter(isB)
          .map((e) => e.sighting?.port),
      ),
      new Set([4102]),
    );
  } finally {
    await b.stop();
  }
});

const quiet = { warn: () => {}, debug: () => {} };

test('garbage on the wire is survived, and sightings can be read as a stream', TIMEOUT, async () => {
  const a = createDiscovery({
    nodeId: newId(),
    name: 'a',
    port: 4001,
    insecure: false,
    interfaces: ['lo'],
    log: quiet,
  });
  a.start();
  const attacker = createSocket({ type: 'udp4', reuseAddr: true });
  attacker.bind(0, '127.0.0.1');
  await once(attacker, 'listening');
  attacker.setMulticastInterface('127.0.0.1');
  const name = Buffer.from('\x07_meshcc\x04_tcp\x05local\x00', 'latin1');
  const header = (answers: number) => Buffer.from([0, 0, 0x84, 0, 0, 0, 0, answers, 0, 0, 0, 0]);
  const loop = Buffer.from([0xc0, 12]);
  const packets = [
    Buffer.alloc(0),
    Buffer.from([1]),
    Buffer.alloc(9000, 0xff),
    header(200),
    Buffer.concat([header(1), loop, Buffer.from([0, 12, 0, 1, 0, 0, 0, 9, 0, 2]), loop]),
    Buffer.concat([header(1), name, Buffer.from([0, 12, 0, 1, 0, 0, 0, 9, 0, 2, 0xc0, 12])]),
    Buffer.concat([header(1), name, Buffer.from([0, 33, 0, 1, 0, 0, 0, 9, 0, 1, 0])]),
  ];
  for (const packet of packets) {
    await new Promise((resolve) => attacker.send(packet, 5353, '224.0.0.251', resolve));
  }
  attacker.close();
  const b = new Peer(4002, onLoopback);
  for await (const sighting of sightingStream(a)) {
    if (sighting.nodeId === b.nodeId) break;
  }
  assert.ok(a.sightings().some((s) => s.nodeId === b.nodeId));
  await a.stop();
});

test('a node with a code finds the inviting node by itself and joins', TIMEOUT, async (t) => {
  const scratch = mkdtempSync(join(tmpdir(), 'meshcc-discovery-'));
  t.after(() => rmSync(scratch, { recursive: true, force: true }));
  const founder = await foundMesh(await openIdentity(join(scratch, 'founder')));
  const joiner = await openIdentity(join(scratch, 'joiner'));
  const common = { port: 4001, insecure: false, interfaces: ['lo'], log: quiet };
  const { nodeId, name, membership } = founder;
  const inviting = createDiscovery({ ...common, nodeId, name, meshId: membership.meshId });
  const looking = createDiscovery({ ...common, nodeId: joiner.nodeId, name: joiner.name });
  t.after(() => Promise.all([inviting.stop(), looking.stop()]));
  inviting.start();
  looking.start();
  const invitation = await openInvitation({ identity: founder, bindAddress: '127.0.0.1' });
  inviting.update({ pairingPort: invitation.port });
  const joined = await joinMesh({
    identity: joiner,
    code: invitation.code,
    addresses: sightingStream(looking),
  });
  assert.equal(joined.meshId, membership.meshId);
  assert.equal(await invitation.closed, 'used');
});

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: 'pipe' });
}

/** Makes a network namespace with a loopback interface; it is removed with the test, however that ends. */
function addNamespace(t: TestContext, role: string): string {
  const namespace = `mcc-${role}-${process.pid}`;
  ip('netns', 'add', namespace);
  t.after(() => ip('netns', 'del', namespace));
  ip('-n', namespace, 'link', 'set', 'lo', 'up');
  return namespace;
}

/** Plugs two namespaces together: a point-to-point link with addresses .1 and .2 of a /30 network. */
function plug(center: string, device: string, board: string, network: string): void {
  ip('-n', center, 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'usb0', 'netns', board);
  ip('-n', center, 'addr', 'add', `${network}.1/30`, 'dev', device);
  ip('-n', board, 'addr', 'add', `${network}.2/30`, 'dev', 'usb0');
  ip('-n', center, 'link', 'set', device, 'up');
  ip('-n', board, 'link', 'set', 'usb0', 'up');
}

test('a socket that cannot be had gives one warning and no crash', AS_ROOT, async (t) => {
  const namespace = addNamespace(t, 'held');
  // Binds without sharing, and ends with this process.
  const script = `require('dgram').createSocket('udp4').bind(5353, () => console.log('held'));
    process.stdin.resume().on('end', () => process.exit());`;
  const squatter = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', script]);
  t.after(() => squatter.kill('SIGKILL'));
  await once(squatter.stdout, 'data');
  const peer = new Peer(4001, onLoopback, namespace);
  const { message } = await peer.until((e) => e.event === 'warning');
  assert.match(message ?? '', /cannot use mDNS/);
  peer.tell('stop');
  await peer.exited();
  assert.equal(peer.events.filter((e) => e.event === 'warning').length, 1);
});

test('a star of point-to-point links without default route', AS_ROOT, async (t) => {
  const center = addNamespace(t, 'center');
  const boards = [addNamespace(t, 'board0'), addNamespace(t, 'board1')] as const;
  boards.forEach((board, i) => {
    plug(center, `usb${i}`, board, `10.98.${i}`);
  });
  const middle = new Peer(4000, {}, center);
  const ends = [new Peer(4001, {}, boards[0]), new Peer(4002, {}, boards[1])] as const;
  for (const [i, end] of ends.entries()) {
    const there = await middle.sees(end);
    assert.deepEqual([there.addresses[0], there.interfaceName], [`10.98.${i}.2`, `usb${i}`]);
    const back = await end.sees(middle);
    assert.deepEqual([back.addresses[0], back.interfaceName], [`10.98.${i}.1`, 'usb0']);
  }
  const [first, second] = ends;
  assert.ok(!first.events.some((e) => e.sighting?.nodeId === second.nodeId), 'boards do not see each other');

  ip('-n', center, 'link', 'del', 'usb1');
  plug(center, 'usb7', boards[1], '10.99.7');
  const moved = await middle.sees(second, (s) => s.interfaceName === 'usb7');
  assert.equal(moved.addresses[0], '10.99.7.2');
});
