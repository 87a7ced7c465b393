import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { MeshError } from '../../src/base/errors.ts';
import {
  base32Decode,
  base32Encode,
  foundMesh,
  issueCertificate,
  issuePairingCertificate,
  loadMembership,
  makeCertificateRequest,
  nodeIdOf,
  nodeNameFrom,
  openIdentity,
  saveMembership,
} from '../../src/mesh/identity/index.ts';

const scratch = mkdtempSync(join(tmpdir(), 'meshcc-identity-'));
after(() => rmSync(scratch, { recursive: true, force: true }));
let count = 0;
const stateDirectory = () => join(scratch, `node-${count++}`);

function refusedWith(code: string, ...parts: string[]) {
  return (error: unknown) => {
    assert.ok(error instanceof MeshError, String(error));
    assert.equal(error.code, code);
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message} lacks ${part}`);
    return true;
  };
}

/** What openssl makes of a certificate, with the CA as the only root, at some date. */
function opensslVerify(caPem: string, certificatePem: string, purpose: string, atSeconds: number): string {
  const ca = join(scratch, `ca-${count++}.pem`);
  const leaf = join(scratch, `leaf-${count++}.pem`);
  writeFileSync(ca, caPem);
  writeFileSync(leaf, certificatePem);
  const args = [
    'verify',
    '-x509_strict',
    '-purpose',
    purpose,
    '-attime',
    String(atSeconds),
    '-CAfile',
    ca,
    leaf,
  ];
  return execFileSync('openssl', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

test('base32 gives the RFC 4648 test vectors, in lower case without padding', () => {
  const vectors = {
    '': '',
    f: 'my',
    fo: 'mzxq',
    foo: 'mzxw6',
    foob: 'mzxw6yq',
    fooba: 'mzxw6ytb',
    foobar: 'mzxw6ytboi',
  };
  for (const [plain, encoded] of Object.entries(vectors)) {
    assert.equal(base32Encode(Buffer.from(plain)), encoded);
    assert.equal(base32Decode(encoded)?.toString(), plain);
  }
  assert.equal(base32Decode('mzx1'), undefined);
});

test('the identity survives a restart, and its files are private', async () => {
  const state = stateDirectory();
  const first = await openIdentity(state, { hostname: 'Board 7.lan' });
  const second = await openIdentity(state, { hostname: 'renamed' });
  assert.match(first.nodeId, /^[a-z2-7]{32}$/);
  assert.equal(second.nodeId, first.nodeId);
  assert.equal(second.keyPem, first.keyPem);
  assert.equal(first.name, 'Board-7.lan');
  assert.equal(first.nodeId, nodeIdOf(createPublicKey(first.keyPem)));
  assert.equal(statSync(first.directory).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(first.directory), ['node-key.pem'], 'no temporary file is left');
  assert.equal(statSync(join(first.directory, 'node-key.pem')).mode & 0o777, 0o600);
  assert.notEqual((await openIdentity(stateDirectory())).nodeId, first.nodeId);
});

test('processes that start at the same time agree on one key', async () => {
  const state = stateDirectory();
  const module = new URL('../../src/mesh/identity/index.js', import.meta.url).href;
  const script = `const m = await import(${JSON.stringify(module)}); console.log((await m.openIdentity(process.argv[1])).nodeId)`;
  const { spawn } = await import('node:child_process');
  const ids = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', script, state]);
      let text = '';
      for await (const chunk of child.stdout) text += chunk;
      return text.trim();
    }),
  );
  assert.match(ids[0] ?? '', /^[a-z2-7]{32}$/);
  assert.equal(new Set(ids).size, 1);
});

test('a damaged, missing or exposed file is named, with the way out', async () => {
  const state = stateDirectory();
  const identity = await openIdentity(state);
  const keyFile = join(identity.directory, 'node-key.pem');
  chmodSync(keyFile, 0o644);
  await assert.rejects(openIdentity(state), refusedWith('MESHCC_IDENTITY', keyFile, 'chmod 600'));
  chmodSync(keyFile, 0o600);
  writeFileSync(keyFile, identity.keyPem.slice(0, 60));
  await assert.rejects(openIdentity(state), refusedWith('MESHCC_IDENTITY', keyFile, 'join the mesh again'));
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  writeFileSync(keyFile, rsa.export({ type: 'pkcs8', format: 'pem' }));
  await assert.rejects(openIdentity(state), refusedWith('MESHCC_IDENTITY', keyFile, 'P-256'));
  writeFileSync(keyFile, identity.keyPem);

  await foundMesh(await openIdentity(state));
  const memberFile = join(identity.directory, 'membership.json');
  const good = readFileSync(memberFile, 'utf8');
  writeFileSync(memberFile, good.slice(0, good.length / 2));
  await assert.rejects(openIdentity(state), refusedWith('MESHCC_IDENTITY', memberFile, 'meshcc invite'));
  writeFileSync(memberFile, good);
  rmSync(keyFile);
  await assert.rejects(openIdentity(state), refusedWith('MESHCC_IDENTITY', keyFile, 'backup'));
});

test('a membership of another node, or with another CA, is not accepted', async () => {
  const [a, b] = [await openIdentity(stateDirectory()), await openIdentity(stateDirectory())];
  const founded = await foundMesh(a);
  const other = await foundMesh(b);
  assert.throws(
    () => saveMembership(b.directory, b.keyPem, founded.membership),
    refusedWith('MESHCC_IDENTITY', 'not for the key of this node'),
  );
  const mixed = { ...founded.membership, caPem: other.membership.caPem };
  assert.throws(
    () => saveMembership(a.directory, a.keyPem, mixed),
    refusedWith('MESHCC_IDENTITY', 'mesh id'),
  );
  const forged = { ...mixed, meshId: other.membership.meshId };
  assert.throws(
    () => saveMembership(a.directory, a.keyPem, forged),
    refusedWith('MESHCC_IDENTITY', 'not issued'),
  );
});

test('founding a mesh gives certificates that openssl accepts, in 1970 and in 2099', async () => {
  const state = stateDirectory();
  const founded = await foundMesh(await openIdentity(state));
  const { meshId, caPem, certificatePem, caKeyPem } = founded.membership;
  assert.match(meshId, /^[0-9a-f]{16}$/);
  assert.ok(caKeyPem !== undefined);
  const reopened = await openIdentity(state);
  assert.deepEqual(reopened.membership, founded.membership);

  const certificate = new X509Certificate(certificatePem);
  assert.equal(certificate.subject, `CN=${founded.nodeId}`);
  assert.equal(certificate.subjectAltName, `DNS:${founded.nodeId}.node.meshcc`);
  assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  assert.equal(certificate.ca, false);
  for (const atSeconds of [60, 4_000_000_000]) {
    for (const purpose of ['sslserver', 'sslclient']) {
      assert.match(opensslVerify(caPem, certificatePem, purpose, atSeconds), /: OK/);
    }
  }
  await assert.rejects(foundMesh(reopened), refusedWith('MESHCC_PAIRING', meshId));
});

test('a member cannot admit others: a certificate signed by its key is worthless', async () => {
  const member = await foundMesh(await openIdentity(stateDirectory()));
  const victim = await openIdentity(stateDirectory());
  const file = (name: string, text: string) => {
    writeFileSync(join(scratch, name), text);
    return join(scratch, name);
  };
  const root = file('root.pem', member.membership.caPem);
  const signer = file('signer.pem', member.membership.certificatePem);
  const key = file('signer-key.pem', member.keyPem);
  const request = file('request.pem', await makeCertificateRequest(victim.keyPem, victim.nodeId));
  const sign = ['x509', '-req', '-in', request, '-CA', signer, '-CAkey', key, '-set_serial', '7'];
  const leaf = file('leaf.pem', execFileSync('openssl', sign, { encoding: 'utf8', stdio: 'pipe' }));
  const verify = ['verify', '-CAfile', root, '-untrusted', signer, leaf];
  assert.throws(() => execFileSync('openssl', verify, { stdio: 'pipe' }), /invalid CA certificate/);
});

test('the CA takes the key from a request and no name, and refuses what is not properly signed', async () => {
  const founded = await foundMesh(await openIdentity(stateDirectory()));
  const { caPem, caKeyPem } = founded.membership;
  assert.ok(caKeyPem !== undefined);
  const authority = { caPem, caKeyPem };
  const joiner = await openIdentity(stateDirectory());

  const request = await makeCertificateRequest(joiner.keyPem, founded.nodeId);
  const issued = await issueCertificate(authority, request);
  assert.equal(issued.nodeId, joiner.nodeId);
  const certificate = new X509Certificate(issued.certificatePem);
  assert.equal(certificate.subject, `CN=${joiner.nodeId}`);
  assert.ok(!certificate.toString().includes(founded.nodeId));
  assert.equal(certificate.subjectAltName, `DNS:${joiner.nodeId}.node.meshcc`);

  // One bit of the signature's last byte.
  const body = Buffer.from(request.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64');
  body[body.length - 1] = (body[body.length - 1] ?? 0) ^ 1;
  const tampered = `-----BEGIN CERTIFICATE REQUEST-----\n${body.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  const rsaKey = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const rsaFile = join(scratch, 'rsa.pem');
  writeFileSync(rsaFile, rsaKey.export({ type: 'pkcs8', format: 'pem' }));
  const rsaRequest = execFileSync('openssl', ['req', '-new', '-key', rsaFile, '-subj', '/CN=x'], {
    encoding: 'utf8',
  });
  for (const bad of [tampered, rsaRequest, '', 'hello', caPem, `${request}${'x'.repeat(5000)}`]) {
    await assert.rejects(issueCertificate(authority, bad), refusedWith('MESHCC_PAIRING', 'request'));
  }
});

test('a pairing certificate serves pairing, and neither acts as a client nor names a node', async () => {
  const founded = await foundMesh(await openIdentity(stateDirectory()));
  const { caPem, caKeyPem } = founded.membership;
  assert.ok(caKeyPem !== undefined);
  const { chainPem } = await issuePairingCertificate({ caPem, caKeyPem });
  assert.equal(new X509Certificate(chainPem).subjectAltName, 'DNS:pairing.meshcc');
  assert.match(opensslVerify(caPem, chainPem, 'sslserver', 1_900_000_000), /: OK/);
  assert.throws(() => opensslVerify(caPem, chainPem, 'sslclient', 1_900_000_000), /purpose/);
});

test('joining another mesh sets the old membership aside, CA key and all', async () => {
  const other = await foundMesh(await openIdentity(stateDirectory()));
  const own = await foundMesh(await openIdentity(stateDirectory()));
  const { caPem, caKeyPem, meshId } = other.membership;
  assert.ok(caKeyPem !== undefined);
  const request = await makeCertificateRequest(own.keyPem, own.nodeId);
  const { certificatePem } = await issueCertificate({ caPem, caKeyPem }, request);
  saveMembership(own.directory, own.keyPem, { meshId, caPem, certificatePem });
  assert.equal(loadMembership(own.directory, own.keyPem)?.meshId, meshId);
  const aside = join(own.directory, `membership.${own.membership.meshId}.json`);
  assert.equal(JSON.parse(readFileSync(aside, 'utf8')).caKeyPem, own.membership.caKeyPem);
});

test('any host name becomes an acceptable node name', () => {
  assert.equal(nodeNameFrom('laptop'), 'laptop');
  assert.equal(nodeNameFrom('Büro PC\n'), 'B-ro-PC-');
  assert.equal(nodeNameFrom('\u0007..-'), 'node');
  assert.equal(nodeNameFrom('x'.repeat(300)).length, 63);
});
