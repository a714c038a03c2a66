/** Finds ONVIF cameras on the network by WS-Discovery: a probe to everybody, and the answers of a few seconds. */

import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';

export interface DiscoverParts {
  /** How long answers are waited for. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Where the probe goes; default the multicast group of WS-Discovery. For tests and for cameras behind a router. */
  readonly target?: { readonly address: string; readonly port: number };
}

export interface FoundCamera {
  /** The device's own name for itself, stable over restarts of most cameras. */
  readonly urn: string;
  /** Host and port to give to `resolveCamera`: the address that the answer came from, the port that the device lists. */
  readonly host: string;
  readonly port: number;
  /** From its scopes, where it tells. */
  readonly name?: string;
  readonly hardware?: string;
  /** All addresses that it lists, without credentials. */
  readonly addresses: readonly string[];
}

const GROUP = { address: '239.255.255.250', port: 3702 };
/** Answers beyond this are not kept: a network with more is no room. */
const MAX_FOUND = 256;

function probe(id: string): Buffer {
  return Buffer.from(
    `<?xml version="1.0" encoding="UTF-8"?><e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><e:Header><w:MessageID>urn:uuid:${id}</w:MessageID><w:To e:mustUnderstand="true">urn:schemas-xmlsoap-org:ws:2005:04:discovery</w:To><w:Action e:mustUnderstand="true">http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</w:Action></e:Header><e:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></e:Body></e:Envelope>`,
  );
}

/**
 * Cameras that answered, each once. The `onvif` package's own discovery can neither be pointed at one host nor told
 * apart from other probes running in the same process, hence this one.
 * @throws Unavailable `discovery_send` when the probe cannot be sent (no network).
 */
export async function discover({ timeoutMs, clock, target = GROUP }: DiscoverParts): Promise<FoundCamera[]> {
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  const id = randomUUID();
  const found = new Map<string, FoundCamera>();
  const failed = new Promise<never>((_, reject) => {
    socket.once('error', (cause) =>
      reject(
        new Unavailable(
          'discovery_send',
          'looking for cameras: the probe could not be sent; is the network up?',
          cause,
        ),
      ),
    );
  });
  failed.catch(() => {});
  socket.on('message', (bytes, from) => {
    const camera = parseMatch(bytes.toString('utf8'), from.address);
    if (camera && found.size < MAX_FOUND && !found.has(camera.urn)) found.set(camera.urn, camera);
  });
  try {
    await Promise.race([new Promise<void>((resolve) => socket.bind(0, resolve)), failed]);
    const once = () =>
      new Promise<void>((resolve, reject) =>
        socket.send(probe(id), target.port, target.address, (cause) =>
          cause
            ? reject(
                new Unavailable(
                  'discovery_send',
                  'looking for cameras: the probe could not be sent; is the network up?',
                  cause,
                ),
              )
            : resolve(),
        ),
      );
    // Datagrams get lost: the probe goes twice with the same id, as WS-Discovery asks.
    await once();
    await Promise.race([clock.sleep(Math.min(200, timeoutMs / 4)), failed]);
    await once();
    await Promise.race([clock.sleep(timeoutMs - Math.min(200, timeoutMs / 4)), failed]);
  } finally {
    socket.close();
  }
  return [...found.values()];
}

/** One answer to a probe; undefined for anything else. `from` is the address that it came from. */
export function parseMatch(xml: string, from: string): FoundCamera | undefined {
  if (!/ProbeMatch\b/.test(xml)) return undefined;
  const text = (name: string) => new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1]?.trim();
  const urn = text('Address');
  const urls = (text('XAddrs') ?? '').split(/\s+/).flatMap((address) => {
    const url = URL.parse(address);
    return url && (url.protocol === 'http:' || url.protocol === 'https:') ? [url] : [];
  });
  const best = urls.find((url) => url.hostname === from) ?? urls[0];
  if (!urn || !best) return undefined;
  const scope = (kind: string) => {
    const value = new RegExp(`onvif://www\\.onvif\\.org/${kind}/(\\S+)`, 'i').exec(text('Scopes') ?? '')?.[1];
    return value === undefined ? {} : { [kind]: unescaped(value) };
  };
  return {
    urn,
    // What it lists may be an address that only it can use; what its answer came from can be reached.
    host: from,
    port: Number(best.port) || (best.protocol === 'https:' ? 443 : 80),
    ...scope('name'),
    ...scope('hardware'),
    addresses: urls.map((url) => `${url.protocol}//${url.host}${url.pathname}`),
  };
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
