/** A make project whose units take long enough that something can happen to the mesh in the middle of them. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { differences, removeFiles, type TreeState, treeState, writeFiles } from './file-tree.ts';
import { compilersWorkingIn } from './process-table.ts';
import type { Ended } from './run-command.ts';
import type { MeshCommandOptions, TestMesh } from './test-mesh.ts';
import { untilTrue } from './until.ts';

/** Evaluated while it is compiled; the seed keeps the compiler from remembering earlier answers. */
const SPIN_HEADER = `#pragma once
constexpr unsigned spin(unsigned seed) {
  unsigned x = seed;
  for (unsigned i = 0; i < 2000; i++) x = x * 1664525u + i;
  return x;
}
constexpr unsigned spins(unsigned seed) {
  unsigned sum = 0;
  for (unsigned i = 0; i < 60; i++) sum ^= spin(seed * 60 + i);
  return sum;
}
`;

/** Compilers that have lost their job are killed at once; this is for a loaded machine to get round to it. */
const GONE_LIMIT_MS = 60_000;

export interface SlowProjectOptions {
  readonly units: number;
  /** Each is about 50 ms of compiling. */
  readonly spinsPerUnit: number;
}

export class SlowProject {
  readonly directory: string;
  readonly #mesh: TestMesh;
  #sources: TreeState;
  #reference: TreeState | undefined;

  constructor(mesh: TestMesh, name: string, { units, spinsPerUnit }: SlowProjectOptions) {
    this.#mesh = mesh;
    this.directory = join(mesh.work, name);
    mkdirSync(this.directory);
    const numbers = Array.from({ length: units }, (_, index) => index);
    const objects = numbers.map((number) => `unit${number}.o`).join(' ');
    writeFiles(this.directory, {
      'spin.h': SPIN_HEADER,
      Makefile: `all: ${objects}\n%.o: %.cpp\n\tg++ -O1 -g -MMD -Wall -c $< -o $@\n`,
    });
    for (const number of numbers) {
      const values = Array.from({ length: spinsPerUnit }, (_, index) => {
        const seed = number * spinsPerUnit + index + 1;
        return `extern constexpr unsigned value${number}_${index} = spins(${seed});\n`;
      });
      writeFiles(this.directory, { [`unit${number}.cpp`]: `#include "spin.h"\n${values.join('')}` });
    }
    this.#sources = treeState(this.directory);
  }

  /** Builds once without the mesh, and remembers what came out. */
  async buildReference(): Promise<void> {
    const ended = await this.#mesh.plain(['make', '-j2'], { cwd: this.directory, timeoutMs: 300_000 });
    assert.equal(ended.status, 0, ended.stderr.toString('utf8'));
    this.#reference = this.outputs();
    this.clean();
  }

  /** Starts `make` with the mesh behind it, in a clean tree. */
  begin(options: MeshCommandOptions = {}): ReturnType<TestMesh['begin']> {
    this.clean();
    return this.#mesh.begin(['make', '-j6'], { timeoutMs: 300_000, ...options, cwd: this.directory });
  }

  /** What a build has left so far. */
  outputs(): TreeState {
    return new Map([...treeState(this.directory)].filter(([name]) => !this.#sources.has(name)));
  }

  clean(): void {
    removeFiles(this.directory, this.outputs().keys());
  }

  /** Asserts that a build succeeded with the reference's outputs, and left nothing else and nobody at work. */
  async assertBuilt(ended: Ended): Promise<void> {
    assert.equal(ended.status, 0, ended.stderr.toString('utf8'));
    assert.ok(this.#reference !== undefined && this.#reference.size > 0, 'there is no reference');
    assert.deepEqual(differences(this.#reference, this.outputs()), []);
    await this.assertIdle();
  }

  /** Asserts that no compiler works on this project any more, on whatever node. */
  async assertIdle(): Promise<void> {
    await untilTrue(
      'no compiler works on it any more',
      GONE_LIMIT_MS,
      () => compilersWorkingIn(this.directory).length === 0,
    );
  }
}
