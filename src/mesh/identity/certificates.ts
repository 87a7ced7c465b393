/**
 * Making X.509 certificates and requests: the only file that knows the certificate library. It costs a
 * tenth of a second of CPU to load, so it is loaded when a node founds, invites or joins, never at start.
 */
import { createPrivateKey, createPublicKey, type KeyObject, webcrypto } from 'node:crypto';
import type { Extension } from '@peculiar/x509';

/** What a certificate says. */
export interface CertificatePlan {
  readonly commonName: string;
  readonly issuerCommonName: string;
  readonly publicKey: KeyObject;
  /** PKCS#8 PEM of the issuer; for a CA its own key. */
  readonly issuerKeyPem: string;
  readonly issuerPublicKey: KeyObject;
  readonly use:
    | { readonly kind: 'ca' }
    | { readonly kind: 'leaf'; readonly dnsName: string; readonly purposes: readonly CertificatePurpose[] };
}

/** Extended key usages (RFC 5280, section 4.2.1.12). */
export const CERTIFICATE_PURPOSES = {
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
} as const;
export type CertificatePurpose = keyof typeof CERTIFICATE_PURPOSES;

/** Boards without a clock start in 1970: a certificate that is "not yet valid" would lock them out. */
const NOT_BEFORE = new Date('1970-01-01T00:00:00Z');
const NOT_AFTER = new Date('2099-12-31T23:59:59Z');

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

async function loadLibrary() {
  // The library's dependency container refuses to load without it.
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

async function signingKey(keyPem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(keyPem).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

function spki(publicKey: KeyObject): Buffer {
  return publicKey.export({ type: 'spki', format: 'der' });
}

/** Issues one certificate, valid from 1970 to 2099. Returns PEM that ends with a newline. */
export async function makeCertificate(plan: CertificatePlan): Promise<string> {
  const x509 = await loadLibrary();
  const { KeyUsageFlags } = x509;
  const isCa = plan.use.kind === 'ca';
  const keyUsages = isCa ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const extensions: Extension[] = [
    isCa
      ? new x509.BasicConstraintsExtension(true, 0, true)
      : new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(keyUsages, true),
    await x509.SubjectKeyIdentifierExtension.create(spki(plan.publicKey), false, webcrypto),
    await x509.AuthorityKeyIdentifierExtension.create(spki(plan.issuerPublicKey), false, webcrypto),
  ];
  if (plan.use.kind === 'leaf') {
    const usages = plan.use.purposes.map((purpose) => CERTIFICATE_PURPOSES[purpose]);
    extensions.push(new x509.ExtendedKeyUsageExtension(usages));
    extensions.push(new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: plan.use.dnsName }]));
  }
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ CN: [plan.commonName] }],
      issuer: [{ CN: [plan.issuerCommonName] }],
      notBefore: NOT_BEFORE,
      notAfter: NOT_AFTER,
      publicKey: spki(plan.publicKey),
      signingKey: await signingKey(plan.issuerKeyPem),
      signingAlgorithm: ALGORITHM,
      extensions,
    },
    webcrypto,
  );
  return `${certificate.toString('pem')}\n`;
}

/** A certificate request (PKCS#10) for a P-256 key. It proves possession of the key; its names carry no weight. */
export async function makeCertificateRequest(keyPem: string, commonName: string): Promise<string> {
  const x509 = await loadLibrary();
  const publicKey = await webcrypto.subtle.importKey('spki', spki(createPublicKey(keyPem)), ALGORITHM, true, [
    'verify',
  ]);
  const request = await x509.Pkcs10CertificateRequestGenerator.create(
    {
      name: [{ CN: [commonName] }],
      keys: { privateKey: await signingKey(keyPem), publicKey },
      signingAlgorithm: ALGORITHM,
    },
    webcrypto,
  );
  return `${request.toString('pem')}\n`;
}

/**
 * The public key of a request whose own signature is right.
 * @throws Error naming the fault if the text is no request, the signature is wrong or the key is not P-256
 */
export async function publicKeyOfRequest(requestPem: string): Promise<KeyObject> {
  const x509 = await loadLibrary();
  const request = new x509.Pkcs10CertificateRequest(requestPem);
  const publicKey = createPublicKey({
    key: Buffer.from(request.publicKey.rawData),
    format: 'der',
    type: 'spki',
  });
  if (publicKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new Error('the key is not a P-256 key');
  if (!(await request.verify(webcrypto))) throw new Error('it is not signed by the key that it names');
  return publicKey;
}
