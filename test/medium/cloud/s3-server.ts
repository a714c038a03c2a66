/** A small S3 for tests, for what no server does when asked: one bucket in memory that checks signatures (Version 4), hashes and ranges. */
import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex');
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();

export interface TestS3 {
  readonly endpoint: string;
  readonly objects: Map<string, { bytes: Buffer; headers: IncomingMessage['headers'] }>;
  /** Requests are answered with this status until it is undefined again. */
  failing: number | undefined;
  /** Objects are given half, and nothing more is said. */
  stalling: boolean;
  /** Whether the bucket has object lock. */
  locks: boolean;
  /** Objects that were sent whole. */
  puts: number;
  /** An object that has arrived is stored and answered for after so long. */
  commitMs: number;
  /** An object is stored, and its answer is lost. */
  losing: boolean;
  stop(): Promise<void>;
}

/** Whether the request was signed with this secret over the headers and path that have arrived. */
function signatureHolds(request: IncomingMessage, keyId: string, secret: string): boolean {
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? '',
    );
  if (parts?.[1] !== keyId) return false;
  const [, , day, region, names, signature] = parts as unknown as string[];
  const url = new URL(request.url!, 'http://x');
  const query = [...url.searchParams]
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&');
  const headers = names!
    .split(';')
    .map((name) => `${name}:${String(request.headers[name] ?? '').trim()}\n`)
    .join('');
  const payload = String(request.headers['x-amz-content-sha256']);
  const canonical = [request.method, url.pathname, query, headers, names, payload].join('\n');
  const scope = `${day}/${region}/s3/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = [region!, 's3', 'aws4_request'].reduce<Buffer>(hmac, hmac(`AWS4${secret}`, day!));
  return hmac(key, toSign).toString('hex') === signature;
}

export async function startS3(keyId: string, secret: string): Promise<TestS3> {
  const objects: TestS3['objects'] = new Map();
  const s3 = {
    objects,
    failing: undefined as number | undefined,
    stalling: false,
    locks: true,
    puts: 0,
    commitMs: 0,
    losing: false,
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const fail = (status: number, code: string) =>
      response.writeHead(status, { 'content-type': 'application/xml' }).end(`<Error><Code>${code}</Code></Error>`);
    if (s3.failing !== undefined) return fail(s3.failing, 'InternalError');
    if (!signatureHolds(request, keyId, secret)) return fail(403, 'SignatureDoesNotMatch');
    const { pathname: key, searchParams } = new URL(request.url!, 'http://x');
    if (searchParams.has('object-lock')) {
      if (!s3.locks) return fail(404, 'ObjectLockConfigurationNotFoundError');
      const answer = '<ObjectLockEnabled>Enabled</ObjectLockEnabled>';
      return response.writeHead(200).end(`<ObjectLockConfiguration>${answer}</ObjectLockConfiguration>`);
    }
    if (request.method === 'PUT') {
      if (request.headers['x-amz-content-sha256'] !== sha256(body)) return fail(400, 'XAmzContentSHA256Mismatch');
      const claimed = request.headers['x-amz-checksum-sha256'];
      if (claimed !== createHash('sha256').update(body).digest('base64')) return fail(400, 'BadDigest');
      s3.puts += 1;
      await new Promise((resolve) => setTimeout(resolve, s3.commitMs));
      objects.set(key, { bytes: body, headers: request.headers });
      if (s3.losing) return request.socket.destroy();
      return response.writeHead(200, { etag: '"x"' }).end();
    }
    if (request.method === 'DELETE') {
      objects.delete(key);
      return response.writeHead(204).end();
    }
    const object = objects.get(key);
    if (!object) return fail(404, 'NoSuchKey');
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '');
    const bytes = range ? object.bytes.subarray(Number(range[1]), Number(range[2]) + 1) : object.bytes;
    const locked = Object.entries(object.headers).filter(([name]) => name.startsWith('x-amz-object-lock-'));
    response.writeHead(range ? 206 : 200, {
      ...Object.fromEntries(locked),
      'content-length': bytes.length,
      ...(range ? { 'content-range': `bytes ${range[1]}-${range[2]}/${object.bytes.length}` } : {}),
    });
    if (s3.stalling) response.write(bytes.subarray(0, bytes.length / 2));
    else response.end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(s3, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () =>
      new Promise<void>((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  });
}
