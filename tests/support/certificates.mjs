// Authorities and certificates of a test's own, made by openssl in the test's folder.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

const kKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });

/** An authority: { cert, key }, paths of PEM files. */
export function makeAuthority(folder, name = 'authority') {
    const made = { cert: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}-key.pem`) };
    openssl('req', '-x509', ...kKey, '-days', '2', '-subj', `/CN=${name}`, '-keyout', made.key, '-out', made.cert);
    return made;
}

/**
 * A certificate signed by `authority`: { cert, key }.
 * @param {{names?: string, days?: number, keyArgs?: string[]}} [options] as subjectAltName has them; from now, negative
 *   for one that is over; what key
 */
export function makeCertificate(folder, name, authority, { names = 'DNS:localhost,IP:127.0.0.1', days = 2, keyArgs = kKey } = {}) {
    const made = { cert: path.join(folder, `${name}.pem`), key: path.join(folder, `${name}-key.pem`) };
    const request = path.join(folder, `${name}.csr`), extensions = path.join(folder, `${name}.ext`);
    writeFileSync(extensions, `subjectAltName=${names}\n`);
    openssl('req', ...keyArgs, '-subj', `/CN=${name}`, '-keyout', made.key, '-out', request);
    openssl('x509', '-req', '-in', request, '-CA', authority.cert, '-CAkey', authority.key, '-CAcreateserial',
        '-days', String(days), '-extfile', extensions, '-out', made.cert);
    return made;
}
