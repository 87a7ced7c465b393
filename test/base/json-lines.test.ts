/** Values in lines come out whole, however the text is cut. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { JsonLines } from '../../src/base/json-lines.ts';

test('however the text is cut, each value comes out once, when its line is over', () => {
  const values = [{ progress: 'ä\nb' }, [1, 2], 'text', null, { answer: {} }];
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join('');
  for (let size = 1; size <= text.length; size++) {
    const lines = new JsonLines();
    const found: unknown[] = [];
    for (let at = 0; at < text.length; at += size) found.push(...lines.push(text.slice(at, at + size)));
    assert.deepEqual(found, values, `pieces of ${size}`);
  }
});

test('a line that is not over is no value, and one that is no JSON is an error', () => {
  const lines = new JsonLines();
  assert.deepEqual(lines.push('{"a":'), []);
  assert.deepEqual(lines.push('1}'), []);
  assert.deepEqual(lines.push('\n\n'), [{ a: 1 }]);
  assert.throws(() => lines.push('nonsense\n'), SyntaxError);
});
