/** Text of RTSP requests and replies as the fake camera reads and writes it (RFC 2326). */

export interface RtspRequest {
  readonly method: string;
  readonly url: string;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const REASONS: Record<number, string> = {
  200: 'OK',
  401: 'Unauthorized',
  404: 'Not Found',
  405: 'Method Not Allowed',
  461: 'Unsupported Transport',
};

/** Takes all complete requests out of the bytes; receiver reports that the client sends between them are skipped. */
export function parseRequests(bytes: Buffer): { requests: RtspRequest[]; rest: Buffer } {
  const requests: RtspRequest[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === 0x24) {
      if (at + 4 > bytes.length) break;
      const end = at + 4 + bytes.readUInt16BE(at + 2);
      if (end > bytes.length) break;
      at = end;
      continue;
    }
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) break;
    const [line = '', ...rows] = bytes.toString('latin1', at, end).split('\r\n');
    const headers = new Map(
      rows.map((row) => {
        const colon = row.indexOf(':');
        return [row.slice(0, colon).trim().toLowerCase(), row.slice(colon + 1).trim()] as const;
      }),
    );
    const body = Number(headers.get('content-length') ?? 0);
    if (end + 4 + body > bytes.length) break;
    const [method = '', url = ''] = line.split(' ');
    requests.push({ method, url, headers });
    at = end + 4 + body;
  }
  return { requests, rest: bytes.subarray(at) };
}

/** Bytes of one reply with the request's CSeq. */
export function rtspReply(request: RtspRequest, code: number, headers: Record<string, string>, body: string): string {
  const rows = [
    `RTSP/1.0 ${code} ${REASONS[code] ?? 'Error'}`,
    `CSeq: ${request.headers.get('cseq') ?? '0'}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return `${rows.join('\r\n')}\r\n\r\n${body}`;
}
