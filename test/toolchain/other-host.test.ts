/** When two search lists are the same one, and what is said if not. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { searchDifference, searchListIn } from '../../src/toolchain/index.ts';

const NAMES = ['yours', 'theirs'] as const;

test('two lists are the same if both look into the same directories in the same order', () => {
  const list = { directories: ['/a', '/b'], absent: ['/c', '/d'] };
  const difference = (other: Partial<typeof list>) => searchDifference(list, { ...list, ...other }, NAMES);
  assert.equal(difference({}), undefined);
  assert.equal(
    difference({ absent: ['/d', '/c'] }),
    undefined,
    'the order of what is not there says nothing',
  );
  assert.equal(difference({ absent: ['/c'] }), 'only yours looks for headers in /d');
  assert.equal(difference({ absent: ['/c', '/d', '/e'] }), 'only theirs looks for headers in /e');
  assert.equal(
    difference({ directories: ['/b', '/a'] }),
    'yours and theirs look for headers in another order: /a /b, and /b /a',
  );
  assert.match(difference({ directories: ['/a'], absent: ['/b', '/c', '/d'] }) ?? '', /in another order/);
});

test('the list is what a compiler prints', () => {
  const text =
    'cc1\nignoring nonexistent directory "/no"\n#include "..." search starts here:\n#include <...> search starts here:\n /a\n /b/../c\nEnd of search list.\nmore\n';
  assert.deepEqual(searchListIn(text), { directories: ['/a', '/b/../c'], absent: ['/no'] });
  assert.equal(searchListIn('nothing'), undefined);
});
