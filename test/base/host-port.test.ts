/** `HOST:PORT`: what is one, and what is refused before anybody tries to connect to it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatHostPort, parseHostPort } from '../../src/base/host-port.ts';

test('names and addresses, with a port', () => {
  const good = [
    ['board:9310', 'board', 9310],
    ['board-1.lan:1', 'board-1.lan', 1],
    ['10.55.0.2:9310', '10.55.0.2', 9310],
    ['[::1]:65535', '::1', 65_535],
    ['[fe80::1%eth0]:9310', 'fe80::1%eth0', 9310],
  ] as const;
  for (const [text, host, port] of good) {
    assert.deepEqual(parseHostPort(text), { host, port }, text);
    assert.equal(formatHostPort(host, port), text);
  }
});

test('anything else is nothing', () => {
  const bad = [
    'foo',
    'foo:',
    ':9310',
    'foo:bar',
    'foo:0',
    'foo:65536',
    'foo:9310:9310',
    '::1:9310',
    '[::1]',
    '[board]:9310',
    '10.0.0.256:9310',
    'http://board:9310',
    'a b:9310',
    '-x:1',
    '',
  ];
  for (const text of bad) assert.equal(parseHostPort(text), undefined, text);
});
