/** Beside identity.ts: how a box speaks to its cloud about itself, before and after it has a certificate. */
import { createHash, X509Certificate } from 'node:crypto';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { isIP } from 'node:net';
import { connect, type DetailedPeerCertificate } from 'node:tls';
import { EvalroomError, Forbidden, InvalidInput, Unavailable } from '../protocol/errors.ts';

const ANSWER_MS = 30_000;
const ANSWER_BYTES = 256 * 1024;
/** Longer chains than any real one end the search. */
const CHAIN = 10;

/** The X.509 library; it wants metadata reflection to be there before its own first line. */
export async function loadX509(): Promise<typeof import('@peculiar/x509')> {
  await import('reflect-metadata');
  return import('@peculiar/x509');
}

/** Throws InvalidInput `enrol_url` for anything but https://, or http:// on this machine. */
export function cloudUrl(text: string): URL {
  const url = URL.parse(text);
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url?.hostname ?? '');
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && loopback)) || url.username !== '')
    throw new InvalidInput(
      'enrol_url',
      `speaking to the cloud at ${url?.origin ?? text.slice(0, 100)}: it must be https://host[:port]; http:// is for this machine alone`,
    );
  return url;
}

/** SHA-256 of a certificate's DER bytes, hexadecimal; empty for none. */
export function fingerprintOf(pem: string | undefined): string {
  if (pem === undefined) return '';
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

/**
 * The authority at the top of the chain that the cloud shows, when it is the pinned one. Nothing is said on this line but
 * the handshake; the next one is checked against what is returned. Throws Forbidden `cloud_not_pinned`, Unavailable.
 */
export function pinnedAuthority(url: URL, pin: string): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const socket = connect({
      host,
      port: Number(url.port || 443),
      ...(isIP(host) ? {} : { servername: host }),
      // Not a check left out: the authority is not known yet, and the pin is compared below.
      rejectUnauthorized: false,
      timeout: ANSWER_MS,
    });
    const fail = (error: Error) => {
      socket.destroy();
      reject(error);
    };
    socket.once('timeout', () => fail(unavailable(url, 'no answer')));
    socket.once('error', (cause) => fail(unavailable(url, cause.message, cause)));
    socket.once('secureConnect', () => {
      let found: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
      for (let depth = 0; found?.raw && depth < CHAIN; depth++) {
        const certificate = new X509Certificate(found.raw);
        if (certificate.ca && createHash('sha256').update(found.raw).digest('hex').startsWith(pin)) {
          socket.destroy();
          resolve(certificate.toString());
          return;
        }
        found = found.issuerCertificate === found ? undefined : found.issuerCertificate;
      }
      fail(notPinned(url));
    });
  });
}

export function notPinned(url: URL): Forbidden {
  return new Forbidden(
    'cloud_not_pinned',
    `enrolling at ${url.origin}: this is not the cloud that made the code (or something stands between); check the address, or give --ca where the cloud's own certificate comes from another authority`,
  );
}

export interface Post {
  readonly body: object;
  /** PEM. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Gives up: throws Unavailable. */
  readonly signal?: AbortSignal;
}

/** `POST /api/device/<what>`; the answer's JSON. Throws by what the cloud answers: InvalidInput, Forbidden or Unavailable. */
export function post(url: URL, what: string, { body, ca, cert, key, signal }: Post): Promise<unknown> {
  const text = JSON.stringify(body);
  const request = url.protocol === 'https:' ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(`/api/device/${what}`, url),
      {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) },
        // A connection of its own, so that it is made with these very credentials.
        agent: false,
        timeout: ANSWER_MS,
        ...(ca === undefined ? {} : { ca }),
        ...(cert === undefined ? {} : { cert }),
        ...(key === undefined ? {} : { key }),
        ...(signal === undefined ? {} : { signal }),
      },
      (response) => {
        let answer = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          answer += part;
          if (answer.length > ANSWER_BYTES) sent.destroy(unavailable(url, 'the answer is too long'));
        });
        response.on('end', () => {
          try {
            resolve(read(url, { what, status: response.statusCode ?? 0, answer }));
          } catch (error) {
            reject(error);
          }
        });
        response.on('error', (cause) => reject(unavailable(url, cause.message, cause)));
      },
    );
    sent.once('timeout', () => sent.destroy(unavailable(url, 'no answer')));
    sent.once('error', (cause) =>
      reject(cause instanceof EvalroomError ? cause : unavailable(url, cause.message, cause)),
    );
    sent.end(text);
  });
}

function read(url: URL, { what, status, answer }: { what: string; status: number; answer: string }): unknown {
  let value: unknown;
  try {
    value = answer === '' ? undefined : JSON.parse(answer);
  } catch (cause) {
    throw unavailable(url, `${status} with an answer that is not JSON; is this the cloud's address?`, cause);
  }
  if (status >= 200 && status < 300) return value;
  const { code, message } = (value ?? {}) as { code?: unknown; message?: { en?: unknown } };
  const words = `asking ${url.origin} to ${what}: ${typeof message?.en === 'string' ? message.en.slice(0, 300) : `it answers ${status}`} [${String(code ?? status).slice(0, 64)}]`;
  if (status === 401 || status === 403) throw new Forbidden('cloud_refused', words);
  if (status >= 500 || status === 429) throw new Unavailable('cloud_unavailable', words);
  throw new InvalidInput('cloud_refused_request', words);
}

function unavailable(url: URL, why: string, cause?: unknown): EvalroomError {
  if ((cause as NodeJS.ErrnoException | undefined)?.code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return new Unavailable(
      'cloud_unavailable',
      `speaking to the cloud at ${url.origin}: its certificate is for other names; add ${url.hostname} to identity.names in its cloud.yaml, or use one of its names`,
      cause,
    );
  return new Unavailable('cloud_unavailable', `speaking to the cloud at ${url.origin}: ${why}`, cause);
}
