import assert from 'node:assert/strict';
import type { NetworkInterfaceInfo } from 'node:os';
import { test } from 'node:test';
import { interfaceOfSender, listInterfaces } from '../../src/mesh/discovery/network-interfaces.ts';
import {
  type Announcement,
  isUsableAddress,
  readPacket,
  SERVICE_NAME,
} from '../../src/mesh/discovery/service-records.ts';
import {
  formatServiceText,
  parseServiceText,
  type ServiceText,
} from '../../src/mesh/discovery/service-text.ts';
import { GOODBYE_GRACE_MS, MAX_PEERS, SightingTable } from '../../src/mesh/discovery/sighting-table.ts';

const NODE_ID = 'abcdefghijklmnopqrstuvwxyz234567';
const TEXT: ServiceText = {
  nodeId: NODE_ID,
  name: 'board-1.lan',
  version: '0.1.0',
  meshId: '0123456789abcdef',
  insecure: false,
  pairingPort: 40001,
};

const entriesOf = (values: Record<string, string>) =>
  Object.entries(values).map(([key, value]) => Buffer.from(`${key}=${value}`));

test('what a node publishes is what another reads', () => {
  assert.deepEqual(parseServiceText(entriesOf(formatServiceText(TEXT))), { text: TEXT });
  const { meshId: _, pairingPort: __, ...alone } = TEXT;
  const insecure = { ...alone, insecure: true };
  assert.deepEqual(parseServiceText(entriesOf(formatServiceText(insecure))), { text: insecure });
});

test('hostile TXT records are refused, each for its reason', () => {
  const good = formatServiceText(TEXT);
  const bad: [Record<string, string>, RegExp][] = [
    [{ id: NODE_ID.toUpperCase() }, /key id/],
    [{ id: `${NODE_ID}\n` }, /key id/],
    [{ id: '' }, /key id/],
    [{ id: '__proto__' }, /key id/],
    [{ n: '\u001b[2Jowned' }, /key n/],
    [{ n: '../../etc/passwd' }, /key n/],
    [{ n: 'x'.repeat(64) }, /key n/],
    [{ n: '<script>' }, /key n/],
    [{ v: '1.0 beta' }, /key v/],
    [{ v: '9'.repeat(33) }, /key v/],
    [{ mesh: '0123' }, /key mesh/],
    [{ mesh: '0123456789ABCDEF' }, /key mesh/],
    [{ ins: 'yes' }, /key ins/],
    [{ pair: '0' }, /key pair/],
    [{ pair: '65536' }, /key pair/],
    [{ pair: '1e3' }, /key pair/],
    [{ pair: '-1' }, /key pair/],
    [{ extra: 'x'.repeat(200) }, /entry of 206 bytes/],
  ];
  for (const [change, reason] of bad) {
    const result = parseServiceText(entriesOf({ ...good, ...change }));
    assert.match('refused' in result ? result.refused : 'accepted', reason, JSON.stringify(change));
  }
  for (const missing of ['id', 'n', 'v']) {
    const rest = Object.fromEntries(Object.entries(good).filter(([key]) => key !== missing));
    assert.deepEqual(parseServiceText(entriesOf(rest)), { refused: `no TXT key ${missing}` });
  }
  for (const shape of [undefined, null, 'id=x', 7, {}, [null], ['id=x'], [[Buffer.from('id=x')]]]) {
    assert.ok('refused' in parseServiceText(shape), JSON.stringify(shape));
  }
  assert.ok('refused' in parseServiceText(Array.from({ length: 17 }, () => Buffer.from('a=b'))));
});

test('keys of a later version are ignored, and the first of a repeated key counts', () => {
  const entries = [
    ...entriesOf(formatServiceText(TEXT)),
    ...entriesOf({ id: 'second', new: 'thing' }),
    Buffer.from('flag'),
  ];
  assert.deepEqual(parseServiceText(entries), { text: TEXT });
});

const INSTANCE = `abcdefgh-board.${SERVICE_NAME}`;

function packetOf(
  over: { instance?: string; port?: unknown; ttl?: number; txt?: unknown; extra?: unknown[] } = {},
) {
  const instance = over.instance ?? INSTANCE;
  const ttl = over.ttl ?? 120;
  return {
    answers: [
      { name: SERVICE_NAME, type: 'PTR', ttl, data: instance },
      { name: instance, type: 'SRV', ttl, data: { port: over.port ?? 4000, target: 'board.local' } },
      { name: instance, type: 'TXT', ttl, data: over.txt ?? entriesOf(formatServiceText(TEXT)) },
      ...(over.extra ?? []),
    ],
    additionals: [],
  };
}

test('a packet yields its node, with the addresses that can be used', () => {
  const a = (data: unknown, name = 'board.local') => ({ name, type: 'A', ttl: 120, data });
  const extra = [
    a('192.168.1.7'),
    a('127.0.0.1'),
    a('10.0.0.1', 'other.local'),
    a(7),
    a('BOARD', 'BOARD.local'),
  ];
  const { announcements, goodbyes, refusals } = readPacket(packetOf({ extra }));
  assert.deepEqual(announcements, [
    { instance: INSTANCE, text: TEXT, port: 4000, addresses: ['192.168.1.7'] },
  ]);
  assert.deepEqual([goodbyes, refusals], [[], []]);
});

test('a goodbye is told apart from an announcement', () => {
  const { announcements, goodbyes } = readPacket(packetOf({ ttl: 0, instance: INSTANCE.toUpperCase() }));
  assert.deepEqual([announcements, goodbyes], [[], [INSTANCE]]);
});

test('packets of any shape are survived', () => {
  const record = { name: SERVICE_NAME, type: 'PTR', ttl: 120 };
  const shapes = [
    undefined,
    null,
    7,
    {},
    { answers: 'x', additionals: 7 },
    { answers: [null, 7, 'x', {}, { name: 1, type: 2, ttl: 3 }] },
    {
      answers: [
        { ...record, data: 7 },
        { ...record, data: '' },
        { ...record, data: 'x._http._tcp.local' },
        record,
      ],
    },
  ];
  for (const shape of shapes) {
    assert.deepEqual(
      readPacket(shape),
      { announcements: [], goodbyes: [], refusals: [] },
      JSON.stringify(shape),
    );
  }
  for (const port of [0, 65536, 1.5, '4000', null, Number.NaN]) {
    assert.equal(readPacket(packetOf({ port: port ?? 'null' })).announcements.length, 0, String(port));
  }
  const flood = {
    answers: Array.from({ length: 5000 }, (_, i) => ({ ...record, data: `n${i}.${SERVICE_NAME}` })),
  };
  const { announcements, refusals } = readPacket(flood);
  assert.equal(announcements.length, 0);
  assert.equal(refusals.length, 16);
  const addresses = Array.from({ length: 100 }, (_, i) => ({
    name: 'board.local',
    type: 'A',
    ttl: 9,
    data: `10.0.0.${i}`,
  }));
  assert.equal(readPacket(packetOf({ extra: addresses })).announcements[0]?.addresses.length, 8);
});

test('only addresses that another machine may be reached at are usable', () => {
  for (const address of ['10.1.2.3', '192.168.0.1', '169.254.3.4', '8.8.8.8', 'fd00::2', '2001:db8::1']) {
    assert.equal(isUsableAddress(address), true, address);
  }
  const useless = [
    '127.0.0.1',
    '0.0.0.0',
    '224.0.0.251',
    '255.255.255.255',
    '::1',
    '::',
    'fe80::1',
    'fe80::1%eth0',
  ];
  for (const address of [...useless, 'ff02::fb', '::ffff:10.0.0.1', '1.2.3', '1.2.3.256', 'localhost', '']) {
    assert.equal(isUsableAddress(address), false, address);
  }
});

const announcement = (nodeId = NODE_ID, port = 4000, addresses: string[] = []): Announcement => ({
  instance: `${nodeId.slice(0, 8)}-x.${SERVICE_NAME}`,
  text: { ...TEXT, nodeId },
  port,
  addresses,
});
const eth = { address: '10.0.0.2', interfaceName: 'eth0' };
const usb = { address: '10.98.0.2', interfaceName: 'usb0' };
const none = new Set<string>();

test('one node through two interfaces is one sighting, with the packet source first', () => {
  const table = new SightingTable(120_000);
  const first = table.observe(
    announcement(NODE_ID, 4000, ['172.17.0.1', '10.0.0.2']),
    eth,
    new Set(['172.17.0.1']),
    0,
  );
  assert.ok(first.kind === 'new');
  assert.deepEqual(
    first.sighting.addresses,
    ['10.0.0.2'],
    'an address of this machine is not that of another',
  );
  const second = table.observe(announcement(), usb, none, 10);
  assert.ok(second.kind === 'changed');
  assert.deepEqual(second.sighting.addresses, ['10.98.0.2', '10.0.0.2']);
  assert.equal(second.sighting.interfaceName, 'usb0');
  assert.equal(table.observe(announcement(), eth, none, 20).kind, 'repeated', 'only the order changed');
  assert.deepEqual(table.sightings()[0]?.addresses, ['10.0.0.2', '10.98.0.2']);
  assert.equal(table.observe(announcement(), eth, none, 1500).kind, 'refreshed');
  assert.equal(table.observe(announcement(NODE_ID, 4001), eth, none, 1501).kind, 'changed');
  assert.equal(table.sightings().length, 1);
});

test('a silent node expires after its time, counted from its last answer', () => {
  const table = new SightingTable(1000);
  table.observe(announcement(), eth, none, 0);
  table.observe(announcement(), eth, none, 900);
  assert.deepEqual(table.sweep(1899), []);
  assert.deepEqual(table.sweep(1900), [NODE_ID]);
  assert.deepEqual(table.sightings(), []);
  assert.equal(table.observe(announcement(), eth, none, 2000).kind, 'new');
});

test('a goodbye counts if the node itself was heard there, and a re-announcement takes it back', () => {
  const table = new SightingTable(120_000);
  const { instance } = announcement();
  table.observe(announcement(), eth, none, 0);
  table.dismiss(instance, '10.66.66.66', 10);
  assert.deepEqual(table.sweep(10 + GOODBYE_GRACE_MS), []);
  table.dismiss(instance, eth.address, 5000);
  table.observe(announcement(NODE_ID, 4001), eth, none, 5001);
  assert.deepEqual(table.sweep(5000 + GOODBYE_GRACE_MS), []);
  table.dismiss(instance, eth.address, 9000);
  assert.deepEqual(table.sweep(9000 + GOODBYE_GRACE_MS), [NODE_ID]);
});

test('a flood of nodes and of sources has a bound', () => {
  const table = new SightingTable(120_000);
  const idOf = (i: number) =>
    NODE_ID.slice(0, 26) +
    i
      .toString(6)
      .padStart(6, '0')
      .replace(/[0-5]/g, (d) => 'abcdef'.charAt(Number(d)));
  for (let i = 0; i < MAX_PEERS; i++)
    assert.equal(table.observe(announcement(idOf(i)), eth, none, 0).kind, 'new');
  assert.equal(table.observe(announcement(idOf(MAX_PEERS)), eth, none, 1).kind, 'full');
  assert.equal(
    table.observe(announcement(idOf(3), 4001), eth, none, 1).kind,
    'changed',
    'known nodes still count',
  );
  for (let i = 0; i < 100; i++) {
    table.observe(announcement(idOf(5)), { address: `10.0.1.${i}`, interfaceName: 'eth0' }, none, 2);
  }
  assert.equal(table.sightings().find((s) => s.nodeId === idOf(5))?.addresses.length, 8);
  assert.equal(table.sightings().length, MAX_PEERS);
});

const info = (address: string, netmask: string, family: 'IPv4' | 'IPv6' = 'IPv4'): NetworkInterfaceInfo => {
  const common = { address, netmask, mac: '02:00:00:00:00:01', internal: false, cidr: null };
  return family === 'IPv4' ? { ...common, family } : { ...common, family, scopeid: 0 };
};

test('virtual interfaces are left out unless named; the sender decides which interface a packet came through', () => {
  const system = () => ({
    lo: [info('127.0.0.1', '255.0.0.0')],
    eth0: [info('fd00::2', 'ffff::', 'IPv6'), info('192.168.1.5', '255.255.255.0')],
    'eth0:1': [info('10.7.0.1', '255.255.0.0')],
    wlan0: [info('fe80::1', 'ffff::', 'IPv6')],
    docker0: [info('172.17.0.1', '255.255.0.0')],
    'br-12ab': [info('172.18.0.1', '255.255.0.0')],
    veth7: [info('10.9.9.1', '255.255.255.252')],
    virbr0: [info('192.168.122.1', '255.255.255.0')],
    usb0: [info('10.98.0.1', '255.255.255.252')],
  });
  const listing = listInterfaces(undefined, system);
  assert.ok('interfaces' in listing);
  assert.deepEqual(
    listing.interfaces.map(({ name }) => name),
    ['lo', 'eth0', 'usb0'],
  );
  assert.ok(listing.ownAddresses.has('172.17.0.1'));
  const came = (sender: string) => interfaceOfSender(sender, listing.interfaces)?.name;
  assert.equal(came('127.0.0.1'), 'lo');
  assert.equal(came('192.168.1.99'), 'eth0');
  assert.equal(came('10.7.200.1'), 'eth0');
  assert.equal(came('10.98.0.2'), 'usb0');
  for (const stranger of ['10.98.0.5', '172.17.0.2', '8.8.8.8', 'fe80::1', 'x'])
    assert.equal(came(stranger), undefined);

  const named = listInterfaces(['veth7', 'absent'], system);
  assert.deepEqual('interfaces' in named ? named.interfaces.map(({ name }) => name) : [], ['veth7']);
  const forbidden = listInterfaces(undefined, () => {
    throw new Error('Unknown system error 13');
  });
  assert.deepEqual(forbidden, { refused: 'Unknown system error 13' });
});
