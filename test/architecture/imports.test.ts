/** The arrows of ARCHITECTURE.md: its tables are read, and every import in src/ is held to them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import { PACKAGE_ROOT } from '../../src/base/package-root.ts';
import { filesIn, type Import, importsOf, namesIn, roomOf, tableBelow, textOf } from './sources.ts';

const DOCUMENT = textOf('ARCHITECTURE.md');
const ROOMS = new Map(
  tableBelow('## The rooms', DOCUMENT).map(([room = '', , door = '', mayImport]) => [
    room,
    { door, mayImport: namesIn(mayImport) },
  ]),
);
const EXCEPTIONS = new Set(
  tableBelow('### Exceptions', DOCUMENT).map(([from = '', to = '']) => `${from} -> ${to}`),
);
const PACKAGES = new Map(
  tableBelow('### Packages', DOCUMENT).map(([name = '', rooms, typesIn]) => [
    name,
    { rooms: namesIn(rooms), typesIn: namesIn(typesIn) },
  ]),
);
const IMPORTS = filesIn('src', '.ts').flatMap(importsOf);
const BETWEEN_ROOMS = IMPORTS.filter(({ from, to, isRelative }) => isRelative && roomOf(from) !== roomOf(to));

function show({ from, to }: Import): string {
  return `${from} -> ${to}`;
}

test('every folder of src/ is a room of the table, and every room a folder', () => {
  const folders = new Set(filesIn('src', '.ts').map(roomOf));
  assert.deepEqual([...ROOMS.keys()].sort(), [...folders].sort());
});

test('the imports are found: every room but the first has some', () => {
  assert.ok(BETWEEN_ROOMS.length > 100);
  for (const [room, { mayImport }] of ROOMS) {
    const has = BETWEEN_ROOMS.some(({ from }) => roomOf(from) === room);
    assert.equal(has, mayImport.length > 0, room);
  }
});

test('a room may import only rooms above it in the table, so that there is no cycle', () => {
  const order = [...ROOMS.keys()];
  for (const [room, { mayImport }] of ROOMS) {
    for (const other of mayImport) assert.ok(order.includes(other), `${room}: there is no room ${other}`);
    const below = mayImport.filter((other) => order.indexOf(other) >= order.indexOf(room));
    assert.deepEqual(below, [], room);
  }
  assert.ok(!ROOMS.get('submitter')?.mayImport.includes('worker'));
  assert.ok(!ROOMS.get('worker')?.mayImport.includes('submitter'));
});

test('every import between rooms is one that the table allows', () => {
  const forbidden = BETWEEN_ROOMS.filter(
    ({ from, to }) => !ROOMS.get(roomOf(from))?.mayImport.includes(roomOf(to)),
  );
  assert.deepEqual(forbidden.map(show), []);
});

test('every arrow of the table is used', () => {
  const used = new Set(BETWEEN_ROOMS.map(({ from, to }) => `${roomOf(from)} -> ${roomOf(to)}`));
  const unused = [...ROOMS].flatMap(([room, { mayImport }]) =>
    mayImport.map((other) => `${room} -> ${other}`).filter((arrow) => !used.has(arrow)),
  );
  assert.deepEqual(unused, []);
});

test('a room is entered by its door, except where the table says why', () => {
  const past = BETWEEN_ROOMS.filter(({ to }) => {
    const door = ROOMS.get(roomOf(to))?.door;
    return door !== 'each file' && to !== `src/${roomOf(to)}/${door}`;
  }).map(show);
  assert.deepEqual(
    past.filter((arrow) => !EXCEPTIONS.has(arrow)),
    [],
  );
  assert.deepEqual(
    [...EXCEPTIONS].filter((arrow) => !past.includes(arrow)),
    [],
    'an exception that is none any more',
  );
});

test('the parts of the mesh room use each other by their doors too', () => {
  const past = IMPORTS.filter(
    ({ from, to, isRelative }) =>
      isRelative &&
      roomOf(from) === 'mesh' &&
      roomOf(to) === 'mesh' &&
      dirname(from) !== dirname(to) &&
      basename(to) !== 'index.ts',
  );
  assert.deepEqual(past.map(show), []);
});

test('every door exists', () => {
  for (const [room, { door }] of ROOMS) {
    if (door === 'each file') continue;
    assert.ok(existsSync(join(PACKAGE_ROOT, 'src', room, door)), `src/${room}/${door}`);
  }
});

test('a package is imported only by its rooms; its types by a few more', () => {
  const outside = IMPORTS.filter(({ from, to, isRelative, isTypeOnly }) => {
    if (isRelative || to.startsWith('node:')) return false;
    const known = PACKAGES.get(to);
    const room = roomOf(from);
    return !(known?.rooms.includes(room) || (isTypeOnly && known?.typesIn.includes(room)));
  });
  assert.deepEqual(outside.map(show), []);
});

test('the table of packages is the list of dependencies', () => {
  const { dependencies } = JSON.parse(textOf('package.json')) as { dependencies: Record<string, string> };
  assert.deepEqual([...PACKAGES.keys()].sort(), Object.keys(dependencies).sort());
});
