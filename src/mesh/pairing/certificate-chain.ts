/**
 * A look at who answers on a pairing port: its certificate chain, before anything is said. The connection
 * is not trusted and nothing is sent over it; the CA found in the chain is, if it fits the code.
 */
import { X509Certificate } from 'node:crypto';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { PAIRING_DNS_NAME } from '../identity/index.ts';

const MAX_CHAIN_LENGTH = 4;

/**
 * The certificates that a TLS server shows, its own first.
 * @throws Error (a system error, or one that says what is wrong) if there is no answer within the time
 */
export function fetchCertificateChain(
  host: string,
  port: number,
  timeoutMs: number,
): Promise<X509Certificate[]> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port,
      servername: PAIRING_DNS_NAME,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      rejectUnauthorized: false,
    });
    const timer = setTimeout(() => socket.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    let chain: X509Certificate[] | undefined;
    socket.once('secureConnect', () => {
      chain = chainOf(socket.getPeerCertificate(true));
      socket.destroy();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      clearTimeout(timer);
      if (chain === undefined) reject(new Error('the connection was closed'));
      else resolve(chain);
    });
  });
}

function chainOf(leaf: DetailedPeerCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let certificate: DetailedPeerCertificate | undefined = leaf;
  while (certificate?.raw !== undefined && chain.length < MAX_CHAIN_LENGTH) {
    chain.push(new X509Certificate(certificate.raw));
    // A self-signed certificate names itself as its issuer.
    const issuer: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
    if (issuer === certificate || issuer?.fingerprint256 === certificate.fingerprint256) break;
    certificate = issuer;
  }
  return chain;
}
