/** The ONVIF device in front of the fake camera's streams: SOAP over HTTP with WS-UsernameToken, and WS-Discovery over UDP. */
import { randomUUID } from 'node:crypto';
import { createSocket, type Socket as UdpSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { Unavailable } from '../../protocol/errors.ts';
import type { Fault } from './fault.ts';
import {
  type OnvifFacts,
  OPEN_OPERATIONS,
  operationOf,
  soapFault,
  soapReply,
  textOf,
  usernameTokenOk,
} from './onvif-soap.ts';

const MAX_BODY = 64 * 1024;
const MULTICAST = '239.255.255.250';

export interface OnvifDeviceParts {
  /** What to say, with the address under which the device was reached. */
  facts(): OnvifFacts;
  readonly user: string;
  readonly password: string;
  fault(): Fault | null;
  readonly log: Logger;
}

/** A device that answers between `listen` and `close`. */
export function createOnvifDevice({ facts, user, password, fault, log }: OnvifDeviceParts) {
  let server: Server | undefined;
  let udp: UdpSocket | undefined;
  const endpoint = `urn:uuid:${randomUUID()}`;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of request) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_BODY) {
        request.destroy();
        return;
      }
    }
    if (fault() === 'hang') return;
    if (fault() === 'refuse') {
      request.socket.destroy();
      return;
    }
    const xml = Buffer.concat(chunks).toString('utf8');
    const say = (code: number, body: string) => {
      response.writeHead(code, { 'Content-Type': 'application/soap+xml; charset=utf-8' });
      response.end(body);
    };
    const operation = operationOf(xml);
    const known = facts();
    const open = operation !== undefined && OPEN_OPERATIONS.has(operation);
    if (!open && (fault() === 'unauthorized' || !usernameTokenOk(xml, user, password, known.wallMs))) {
      say(400, soapFault('ter:NotAuthorized', 'Sender not authorized'));
      return;
    }
    const body = operation && soapReply(operation, xml, known);
    if (body) say(200, body);
    else say(500, soapFault('ter:ActionNotSupported', 'Optional action not implemented'));
  }

  function probed(bytes: Buffer, answer: (reply: Buffer) => void): void {
    const xml = bytes.toString('utf8');
    const types = textOf(xml, 'Types') ?? '';
    if (operationOf(xml) !== 'Probe' || (types !== '' && !types.includes('NetworkVideoTransmitter'))) return;
    if (fault() === 'refuse' || fault() === 'hang') return;
    const known = facts();
    const scopes = ['type/video_encoder', `name/${encodeURIComponent(known.model)}`, 'Profile/Streaming']
      .map((scope) => `onvif://www.onvif.org/${scope}`)
      .join(' ');
    answer(
      Buffer.from(
        `<?xml version="1.0" encoding="UTF-8"?><s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header><a:MessageID>urn:uuid:${randomUUID()}</a:MessageID><a:RelatesTo>${textOf(xml, 'MessageID') ?? ''}</a:RelatesTo><a:To>http://schemas.xmlsoap.org/ws/2004/08/addressing/role/anonymous</a:To><a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/ProbeMatches</a:Action></s:Header><s:Body><d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>${endpoint}</a:Address></a:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${known.base}/onvif/device_service</d:XAddrs><d:MetadataVersion>1</d:MetadataVersion></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`,
      ),
    );
  }

  return {
    listen(host: string, port: number): Promise<number> {
      const fresh = createServer((request, response) => {
        handle(request, response).catch((error: Error) => {
          log.debug({ error: error.message }, 'a client of the fake ONVIF device went away');
          response.destroy();
        });
      });
      server = fresh;
      return new Promise((resolve, reject) => {
        fresh.once('error', (cause) =>
          reject(new Unavailable('fake_onvif_port', `the fake ONVIF device cannot listen on ${host}:${port}`, cause)),
        );
        fresh.listen(port, host, () => resolve((fresh.address() as { port: number }).port));
      });
    },
    /** Answers WS-Discovery probes, sent to this port directly or to the multicast group where the machine has one. */
    discoverable(port: number): Promise<number> {
      const socket = createSocket({ type: 'udp4', reuseAddr: true });
      udp = socket;
      socket.on('message', (bytes, from) => probed(bytes, (reply) => socket.send(reply, from.port, from.address)));
      return new Promise((resolve, reject) => {
        socket.once('error', (cause) =>
          reject(new Unavailable('fake_discovery_port', `the fake ONVIF device cannot listen on UDP ${port}`, cause)),
        );
        socket.bind(port, () => {
          try {
            socket.addMembership(MULTICAST);
          } catch (error) {
            log.debug(
              { error: (error as Error).message },
              'no multicast here: only direct probes find the fake camera',
            );
          }
          resolve(socket.address().port);
        });
      });
    },
    async close(): Promise<void> {
      const [http, socket] = [server, udp];
      server = undefined;
      udp = undefined;
      http?.closeAllConnections();
      await Promise.all([
        http && new Promise<void>((resolve) => http.close(() => resolve())),
        socket && new Promise<void>((resolve) => socket.close(() => resolve())),
      ]);
    },
  };
}
