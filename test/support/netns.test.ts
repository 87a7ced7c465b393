/** The test cluster itself: real packets between hosts, black holes, hidden directories, and nothing left behind. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Cluster, canMakeClusters, createCluster } from './netns.ts';

const skip = canMakeClusters() ? false : 'needs root and network namespaces';

const SERVER = `require('net').createServer(s => s.end('hello')).listen(4000, '0.0.0.0', () => console.log('ready'))`;

const client = (address: string): string => `
  const s = require('net').connect({ host: '${address}', port: 4000, timeout: 1500 });
  s.on('data', d => { console.log(String(d)); process.exit(0); });
  s.on('timeout', () => { console.log('silence'); process.exit(0); });
  s.on('error', e => { console.log(e.code === 'EHOSTUNREACH' ? 'silence' : e.code); process.exit(0); });`;

const SEND_MEGABYTE = `require('net').createServer(s => s.end(Buffer.alloc(1e6))).listen(4001, '0.0.0.0', () => console.log('ready'))`;

const takeAll = (address: string): string => `
  let count = 0;
  require('net').connect({ host: '${address}', port: 4001 }).on('data', d => { count += d.length; }).on('end', () => console.log(count));`;

const listener = (own: string): string => `
  const s = require('dgram').createSocket({ type: 'udp4', reuseAddr: true });
  s.on('message', (m, from) => { console.log(m + ' ' + from.address); process.exit(0); });
  s.bind(5353, '0.0.0.0', () => { s.addMembership('224.0.0.251', '${own}'); console.log('ready'); });`;

const sender = (own: string): string => `
  const s = require('dgram').createSocket({ type: 'udp4', reuseAddr: true });
  s.bind(5353, '0.0.0.0', () => { s.setMulticastInterface('${own}'); s.send('query', 5353, '224.0.0.251', () => s.close()); });`;

function node(cluster: Cluster, host: string, script: string): ChildProcess {
  return cluster.run(host, [process.execPath, '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** The next line that a program prints; the iterator is kept so that no line is lost. */
function linesOf(child: ChildProcess): AsyncIterator<string> {
  if (!child.stdout) throw new Error('no pipe');
  return createInterface({ input: child.stdout })[Symbol.asyncIterator]();
}

async function output(cluster: Cluster, host: string, script: string): Promise<string> {
  return (await linesOf(node(cluster, host, script)).next()).value;
}

test('hosts reach each other, a cut host does not answer, a healed one does', { skip }, async () => {
  const cluster = createCluster({ boards: 2, rate: '100mbit' });
  try {
    const ask = (): Promise<string> => output(cluster, 'board2', client(cluster.host('board1').address));
    assert.equal((await linesOf(node(cluster, 'board1', SERVER)).next()).value, 'ready');
    assert.equal(await ask(), 'hello');
    cluster.cut('board1');
    assert.equal(await ask(), 'silence');
    cluster.heal('board1');
    assert.equal(await ask(), 'hello');
    cluster.unplug('board1');
    const carrier = await output(
      cluster,
      'board1',
      `console.log(require('fs').readFileSync('/sys/class/net/eth0/operstate', 'utf8').trim())`,
    );
    assert.notEqual(carrier, 'up');
    cluster.heal('board1');
    assert.equal(await ask(), 'hello');
    // The laptop is on the same bridge.
    assert.equal(await output(cluster, 'laptop', client(cluster.host('board1').address)), 'hello');
  } finally {
    cluster.destroy();
  }
});

test('multicast of mDNS reaches every other host', { skip }, async () => {
  const cluster = createCluster({ boards: 2 });
  try {
    const address = (name: string): string => cluster.host(name).address;
    const heard = ['board1', 'board2'].map((name) => linesOf(node(cluster, name, listener(address(name)))));
    for (const lines of heard) assert.equal((await lines.next()).value, 'ready');
    node(cluster, 'laptop', sender(address('laptop')));
    for (const lines of heard) assert.equal((await lines.next()).value, `query ${address('laptop')}`);
  } finally {
    cluster.destroy();
  }
});

test('a hidden directory is empty for the program and whole for everyone else', { skip }, async () => {
  const directory = mkdtempSync(join(tmpdir(), 'meshcc-netns-'));
  writeFileSync(join(directory, 'source.c'), '');
  const cluster = createCluster({ boards: 1 });
  try {
    const list = `console.log(JSON.stringify(require('fs').readdirSync('${directory}')))`;
    const argv = [process.execPath, '-e', list];
    const board = cluster.run('board1', argv, { hide: [directory], stdio: ['ignore', 'pipe', 'inherit'] });
    assert.equal((await linesOf(board).next()).value, '[]');
    assert.equal(await output(cluster, 'laptop', list), '["source.c"]');
    assert.deepEqual(readdirSync(directory), ['source.c']);
  } finally {
    cluster.destroy();
    rmSync(directory, { recursive: true, force: true });
  }
});

test('destroy ends what runs in the hosts, also what left their network, and removes everything', {
  skip,
}, async () => {
  const cluster = createCluster({ boards: 1, cpuCores: { board: 0.5 } });
  const sleeper = cluster.run('board1', ['sleep', '600']);
  const ended = once(sleeper, 'exit');
  const argv = ['unshare', '--net', 'sh', '-c', 'echo $$; exec sleep 600'];
  const elsewhere = cluster.run('board1', argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const elsewhereEnded = once(elsewhere, 'exit');
  await linesOf(elsewhere).next();
  const { hasQuotas } = cluster;
  cluster.destroy();
  assert.deepEqual(await ended, [null, 'SIGKILL']);
  if (hasQuotas) assert.deepEqual(await elsewhereEnded, [null, 'SIGKILL']);
  else elsewhere.kill('SIGKILL');
  assertNothingLeft(process.pid);
});

test('CPU time and traffic are counted for the host that used them', { skip }, async () => {
  const cluster = createCluster({ boards: 2 });
  try {
    assert.equal((await linesOf(node(cluster, 'board1', SEND_MEGABYTE)).next()).value, 'ready');
    const cpuSeconds = (host: string): number => cluster.cpuUsage(host).cpuSeconds;
    const cpuBefore = cluster.hasQuotas ? cpuSeconds('laptop') : 0;
    const before = cluster.traffic('laptop');
    assert.equal(await output(cluster, 'laptop', takeAll(cluster.host('board1').address)), '1000000');
    const after = cluster.traffic('laptop');
    assert.ok(after.receivedBytes - before.receivedBytes > 1_000_000);
    assert.ok(after.sentBytes - before.sentBytes < 1_000_000);
    assert.ok(cluster.traffic('board1').sentBytes > 1_000_000);
    assert.ok(cluster.traffic('board2').sentBytes < 1_000_000);
    if (!cluster.hasQuotas) return;
    assert.ok(cpuSeconds('laptop') > cpuBefore);
    assert.equal(cpuSeconds('board2'), 0);
  } finally {
    cluster.destroy();
  }
});

test('a process that ends without destroy leaves nothing; one that was killed is swept by the next', {
  skip,
}, async () => {
  const module = fileURLToPath(new URL('./netns.js', import.meta.url));
  const script = `
    import { createCluster } from '${module}';
    const cluster = createCluster({ boards: 1 });
    cluster.run('board1', ['sleep', '600'], { stdio: 'ignore' });
    console.log('ready');
    setTimeout(() => {}, 600000);`;
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = once(child, 'exit');
    await linesOf(child).next();
    child.kill(signal);
    assert.deepEqual(await ended, [null, signal]);
    if (signal === 'SIGKILL') createCluster({ boards: 1 }).destroy();
    assertNothingLeft(child.pid ?? 0);
  }
});

function assertNothingLeft(pid: number): void {
  const left = spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout;
  assert.ok(!left.includes(`meshcc${pid}n`), left);
  for (const root of ['/sys/fs/cgroup', '/sys/fs/cgroup/cpu', '/sys/fs/cgroup/cpuacct'].filter((path) =>
    existsSync(path),
  )) {
    assert.deepEqual(
      readdirSync(root).filter((name) => name.startsWith(`meshcc${pid}n`)),
      [],
    );
  }
}
