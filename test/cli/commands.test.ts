/** Every command explains itself with an example, and every error says what to do next. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PACKAGE_VERSION } from '../../src/base/package-root.ts';
import { EXIT_CODES } from '../../src/cli/exit-codes.ts';
import { meshcc, meshccWith } from './run-cli.ts';

const home = mkdtempSync(join(tmpdir(), 'mcc-'));
after(() => rmSync(home, { recursive: true, force: true }));

/** The commands that `meshcc --help` lists. */
function commands(): string[] {
  const { stdout, status } = meshcc(home, '--help');
  assert.equal(status, 0);
  const list = stdout.slice(stdout.indexOf('Commands:'));
  return [...list.matchAll(/^ {2}([a-z-]+)/gm)]
    .map(([, name = '']) => name)
    .filter((name) => name !== 'help');
}

test('the help starts with examples and lists every command with a description', () => {
  const { stdout } = meshcc(home, '--help');
  assert.match(stdout, /^Examples:\n/);
  assert.match(stdout, /meshcc run -- make -j40/);
  for (const name of [
    'agent',
    'run',
    'invite',
    'join',
    'status',
    'nodes',
    'toolchains',
    'explain',
    'stop',
    'shims',
  ])
    assert.ok(commands().includes(name), name);
});

test('every command has help with an example that uses it', () => {
  for (const name of commands()) {
    const { stdout, status } = meshcc(home, name, '--help');
    assert.equal(status, 0, name);
    const at = stdout.search(/^Examples?:$/m);
    assert.ok(at > 0, `${name} --help has no example`);
    assert.match(stdout.slice(at), new RegExp(`meshcc ${name}\\b`), name);
  }
});

test('every option of the agent names its variable', () => {
  const { stdout } = meshcc(home, 'agent', '--help');
  const options = stdout
    .slice(stdout.indexOf('Options:'), stdout.search(/^Examples?:/m))
    .split(/\n(?= {2}-)/)
    .slice(1);
  assert.ok(options.length > 14);
  for (const option of options) {
    if (!option.includes('--help')) assert.match(option.replace(/\s+/g, ' '), /\[MESHCC_[A-Z_]+\]/, option);
  }
});

test('the version is that of the package', () => {
  assert.equal(meshcc(home, '--version').stdout, `${PACKAGE_VERSION}\n`);
});

interface Mistake {
  readonly args: string[];
  readonly status: number;
  /** What the user is told to do. */
  readonly advice: RegExp;
}

const { usage, unavailable, config, notPermitted } = EXIT_CODES;

const MISTAKES: Record<string, Mistake> = {
  'a misspelt command': { args: ['statsu'], status: usage.status, advice: /Did you mean status\?/ },
  'a command that is like none': { args: ['frobnicate'], status: usage.status, advice: /meshcc --help/ },
  'a misspelt option': {
    args: ['agent', '--slot', '3'],
    status: usage.status,
    advice: /Did you mean --slots\?/,
  },
  'a missing argument': { args: ['join'], status: usage.status, advice: /missing required argument 'code'/ },
  'no command to run': { args: ['run'], status: usage.status, advice: /missing required argument/ },
  'an argument too many': { args: ['status', 'now'], status: usage.status, advice: /too many arguments/ },
  'minutes that are no number': {
    args: ['invite', '--minutes', 'ten'],
    status: usage.status,
    advice: /whole number of at least 1/,
  },
  'no minutes at all': {
    args: ['invite', '--minutes', '0'],
    status: usage.status,
    advice: /whole number of at least 1/,
  },
  'a limit that is no number': {
    args: ['explain', '--limit', 'all'],
    status: usage.status,
    advice: /whole number of at least 1/,
  },
  'a setting that cannot be used': {
    args: ['agent', '--port', 'http'],
    status: config.status,
    advice: /--port is "http"; expected/,
  },
  'a log level that is none': {
    args: ['agent', '--log-level', 'loud'],
    status: config.status,
    advice: /expected one of debug, info/,
  },
  'a node without a port': {
    args: ['agent', '--peer', 'foo'],
    status: config.status,
    advice: /--peer is "foo"; expected HOST:PORT, such as/,
  },
  'a summary that cannot be written': {
    args: ['run', '--json-summary', '/nonexistent/summary.json', '--', 'true'],
    status: config.status,
    advice: /cannot write --json-summary: .*ENOENT.* Name a file/,
  },
  'a reason that is none': {
    args: ['explain', 'unknown-opton'],
    status: usage.status,
    advice: /There is no such reason/,
  },
  'status without an agent': {
    args: ['status'],
    status: unavailable.status,
    advice: /Start one: meshcc agent/,
  },
  'nodes without an agent': {
    args: ['nodes', '--json'],
    status: unavailable.status,
    advice: /Start one: meshcc agent/,
  },
  'explain without an agent': {
    args: ['explain'],
    status: unavailable.status,
    advice: /Start one: meshcc agent/,
  },
  'invite without an agent': {
    args: ['invite'],
    status: unavailable.status,
    advice: /Start one: meshcc agent/,
  },
  'join without an agent': {
    args: ['join', 'mc1-x'],
    status: unavailable.status,
    advice: /Start one: meshcc agent/,
  },
  'stop without an agent': { args: ['stop'], status: unavailable.status, advice: /Start one: meshcc agent/ },
};

for (const [what, { args, status, advice }] of Object.entries(MISTAKES)) {
  test(`${what}: status ${status}, and what to do`, () => {
    const result = meshcc(home, ...args);
    assert.equal(result.status, status, result.stderr);
    assert.match(result.stderr, advice);
    assert.equal(result.stdout, '', 'nothing on standard output that a script could take for an answer');
    assert.doesNotMatch(result.stderr, /\n\s+at /, 'no stack trace');
  });
}

test('no arguments at all show the help on standard error', () => {
  const { status, stderr } = meshcc(home);
  assert.equal(status, usage.status);
  assert.match(stderr, /Commands:/);
});

test('a runtime directory that others can enter is refused with advice', () => {
  const open = join(home, 'open');
  mkdirSync(join(open, 'run'), { recursive: true });
  chmodSync(join(open, 'run'), 0o777);
  const { status, stderr } = meshcc(open, 'agent', '--interface', 'lo');
  assert.equal(status, notPermitted.status, stderr);
  assert.match(stderr, /Remove it, or set MESHCC_HOME/);
});

/** What an agent says to a join, line by line: that it goes well, that it does not, and nothing at all. */
const joining = [
  '{"progress":"asking 10.0.0.1:9"}\n{"progress":"10.0.0.1:9: no"}\n{"answer":{"meshId":"m","alreadyMember":false}}\n',
  '{"progress":"asking 10.0.0.1:9"}\n{"error":"the code is over","code":"MESHCC_PAIRING"}\n',
  '{"progress":"asking 10.0.0.1:9"}\n',
];

test('an answer of an agent is passed on: its error with its code, its JSON as it is', async (t) => {
  const place = join(home, 'answers');
  mkdirSync(join(place, 'run'), { recursive: true, mode: 0o700 });
  const server = createServer((request, response) => {
    if (request.url === '/v1/status') return void response.end();
    if (request.url === '/v1/join') return void response.end(joining.shift());
    const failing = request.url?.startsWith('/v1/invite');
    response.writeHead(failing ? 400 : 200, { 'content-type': 'application/json' });
    response.end(
      failing
        ? JSON.stringify({ error: 'ask the founder for a code', code: 'MESHCC_PAIRING' })
        : JSON.stringify({ nodes: [] }),
    );
  });
  await new Promise<void>((resolve) => server.listen(join(place, 'run', 'control.sock'), resolve));
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const run = (...args: string[]): Promise<{ status: number | null; stdout: string; stderr: string }> =>
    new Promise((resolve) => {
      const main = fileURLToPath(new URL('../../src/cli/main.js', import.meta.url));
      const child = spawn(process.execPath, [main, ...args], {
        env: { PATH: '/usr/bin:/bin', MESHCC_HOME: place },
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', (piece) => {
        stdout += piece;
      });
      child.stderr.on('data', (piece) => {
        stderr += piece;
      });
      child.once('close', (status) => resolve({ status, stdout, stderr }));
    });
  const refused = await run('invite');
  assert.deepEqual(
    [refused.status, refused.stderr],
    [notPermitted.status, 'meshcc: ask the founder for a code\n'],
  );
  assert.deepEqual(await run('join', 'mc1-x'), {
    status: 0,
    stdout: 'joined mesh m; meshcc nodes shows its other nodes\n',
    stderr: 'asking 10.0.0.1:9\n10.0.0.1:9: no\n',
  });
  assert.deepEqual(await run('join', 'mc1-x'), {
    status: notPermitted.status,
    stdout: '',
    stderr: 'asking 10.0.0.1:9\nmeshcc: the code is over\n',
  });
  for (const args of [['join', 'mc1-x'], ['status']]) {
    const { status, stderr } = await run(...args);
    assert.equal(status, unavailable.status);
    assert.match(stderr, /meshcc: the agent ended before it had answered\. Start it again: meshcc agent\n$/);
  }
  const json = await run('nodes', '--json');
  assert.deepEqual([json.status, JSON.parse(json.stdout)], [0, { nodes: [] }]);
  const empty = await run('nodes');
  assert.match(empty.stdout, /no other node is in sight.*meshcc agent --peer/s);
});

test('a build whose agent does not start is told why at once', () => {
  const place = join(home, 'no-start');
  mkdirSync(place);
  const env = { MESHCC_PORT: 'http' };
  const { status, stdout, stderr } = meshccWith(env, place, 'run', '--', 'echo', 'built');
  assert.equal(status, unavailable.status, stderr);
  assert.match(
    stderr,
    /ended with status 78, and said: MESHCC_PORT is "http"; expected a number\nIts log is/,
  );
  assert.equal(stdout, '');
});

test('something that is no agent on the socket is told from none', () => {
  const place = join(home, 'stale');
  mkdirSync(join(place, 'run'), { recursive: true, mode: 0o700 });
  writeFileSync(join(place, 'run', 'control.sock'), '');
  const { status, stderr } = meshcc(place, 'status');
  assert.equal(status, unavailable.status);
  assert.match(stderr, /control\.sock \(E[A-Z]+\)\. Start one: meshcc agent/);
});

test('a build that is switched off runs without agent and shims, and says so', () => {
  const own = mkdtempSync(join(tmpdir(), 'meshcc-off-'));
  try {
    const summaryFile = join(own, 'summary.json');
    const args = ['run', '--json-summary', summaryFile, '--', 'sh', '-c', 'command -v cc; exit 7'];
    const { status, stdout, stderr } = meshccWith({ MESHCC_DISABLE: '1' }, own, ...args);
    assert.deepEqual([status, stdout], [7, '/usr/bin/cc\n']);
    assert.match(stderr, /^meshcc: MESHCC_DISABLE is set: a build without it$/m);
    const { isDisabled, exitStatus } = JSON.parse(readFileSync(summaryFile, 'utf8'));
    assert.deepEqual([isDisabled, exitStatus], [true, 7]);
  } finally {
    rmSync(own, { recursive: true });
  }
});

test('a build command that cannot be run ends as shells end', () => {
  for (const [command, wanted] of [
    ['no-such-command', 127],
    ['/etc/passwd', 126],
  ] as const) {
    const { status, stderr } = meshccWith({ MESHCC_DISABLE: '1' }, home, 'run', '--', command);
    assert.equal(status, wanted, stderr);
    assert.match(stderr, new RegExp(`cannot run ${command}: .*Check its name`));
  }
});
