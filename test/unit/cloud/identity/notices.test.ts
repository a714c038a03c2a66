/** Lines of a real Mosquitto 2.0.11 into notices; what nobody should be able to write with a client id or a topic. */
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { readNotices, TRAFFIC } from '../../../../cloud/broker/notices.ts';

const own = (deviceId: string, topic: string) => deviceId === 'box-1' && topic === 'evalroom/v1/rooms/r1/ack';
const read = (...lines: string[]) => {
  const notice = readNotices(8883, own);
  return lines.map(notice).filter((found) => found !== undefined);
};
const opened = (address: string, port = 8883) => `New connection from ${address}:40000 on port ${port}.`;
const verifyFailed = 'OpenSSL Error[0]: error:0A000086:SSL routines::certificate verify failed';
const bad = 'certificate of another authority, expired or revoked';

describe('what the broker says', () => {
  it('who came in, and whether somebody was thrown out for it', () => {
    expect(
      read(
        opened('10.0.0.1'),
        "New client connected from 10.0.0.1:40000 as box-1 (p5, c1, k15, u'box-1').",
        opened('fe80::1'),
        'Client box-1 already connected, closing old connection.',
        "New client connected from fe80::1:40000 as box-1 (p5, c1, k15, u'box-1').",
      ),
    ).toEqual([
      { kind: 'entered', deviceId: 'box-1', address: '10.0.0.1', instead: false },
      { kind: 'entered', deviceId: 'box-1', address: 'fe80::1', instead: true },
    ]);
  });

  it('a failed handshake with its address where only one can be meant', () => {
    const refused = (reason: string, address?: string) => ({
      kind: 'refused',
      reason,
      ...(address ? { address } : {}),
    });
    expect(read(opened('10.0.0.1'), verifyFailed)).toEqual([refused(bad, '10.0.0.1')]);
    expect(read(opened('10.0.0.1'), opened('10.0.0.2'), verifyFailed)).toEqual([refused(bad)]);
    expect(read(opened('10.0.0.1', 1883), verifyFailed)).toEqual([refused(bad)]);
    expect(read('OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate')).toEqual([
      refused('no certificate'),
    ]);
    expect(read('Client connection from 10.0.0.3 failed: error:0A00010B:SSL routines::wrong version number.')).toEqual([
      refused('no TLS, or a version too old', '10.0.0.3'),
    ]);
    expect(read(opened('10.0.0.3'), 'OpenSSL Error[0]: error:0A00010B:SSL routines::wrong version number')).toEqual([
      refused('no TLS, or a version too old', '10.0.0.3'),
    ]);
    expect(read('OpenSSL Error[0]: error:0A000418:SSL routines::tlsv1 alert unknown ca')).toEqual([
      refused('the other side does not take the certificate of this broker'),
    ]);
    expect(read('OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading')).toEqual([]);
    expect(
      read('Client connection from 10.0.0.4 failed: error:0A0000C7:SSL routines::peer did not return a certificate.'),
    ).toEqual([refused('no certificate', '10.0.0.4')]);
    expect(read('Sending CONNACK to 127.0.0.1 (0, 135)')).toEqual([refused('name or secret not known', '127.0.0.1')]);
  });

  it('a connection that says nothing and ends is forgotten', () => {
    expect(
      read(
        opened('10.0.0.1'),
        'Client <unknown> closed its connection.',
        opened('10.0.0.2'),
        verifyFailed,
        'Client <unknown> disconnected: Protocol error.',
        opened('10.0.0.3'),
        verifyFailed,
      ),
    ).toEqual([
      { kind: 'refused', reason: bad, address: '10.0.0.2' },
      { kind: 'refused', reason: bad, address: '10.0.0.3' },
    ]);
  });

  it('topics of others', () => {
    expect(
      read(
        "Denied PUBLISH from box-1 (d0, q1, r0, m1, 'evalroom/v1/rooms/r2/ack', ... (2 bytes))",
        'box-1 1 evalroom/v1/rooms/r1/ack',
        'box-1 1 #',
      ),
    ).toEqual([
      { kind: 'denied', deviceId: 'box-1', verb: 'publish', topic: 'evalroom/v1/rooms/r2/ack' },
      { kind: 'denied', deviceId: 'box-1', verb: 'subscribe', topic: '#' },
    ]);
  });

  it('a client id or a topic can not speak for another device', () => {
    const forged = "x as box-2 (p5, c1, k15, u'box-2').";
    expect(read(`New client connected from 10.0.0.1:1 as ${forged} (p5, c1, k15, u'box-1').`)).toMatchObject([
      { deviceId: 'box-1' },
    ]);
    const topic = "a', ... (1 bytes)) Denied PUBLISH from box-2 (d0, q1, r0, m1, 'b";
    expect(read(`Denied PUBLISH from box-1 (d0, q1, r0, m1, '${topic}', ... (2 bytes))`)).toMatchObject([
      { deviceId: 'box-1', topic },
    ]);
    expect(read(`Denied PUBLISH from box-1 (d0, q1, r0, m1, '${'t'.repeat(5000)}', ... (2 bytes))`)).toMatchObject([
      { deviceId: 'box-1', topic: 't'.repeat(200) },
    ]);
  });

  it('lines of traffic are left out before they reach the cloud, refusals are not', () => {
    const lines = [
      "Received PUBLISH from box-1 (d0, q1, r0, m1, 'evalroom/v1/rooms/r1/events/alert', ... (5 bytes))",
      'Sending PUBACK to box-1 (m1, rc0)',
      'Received PINGREQ from box-1',
      'Sending CONNACK to box-1 (0, 0)',
      '\tevalroom/v1/rooms/r1/ack (QoS 1)',
      'No will message specified.',
      'Client box-1 disconnected.',
      "Denied PUBLISH from box-1 (d0, q1, r0, m1, 'x', ... (5 bytes))",
      'Sending CONNACK to 127.0.0.1 (0, 135)',
      'box-1 1 #',
      verifyFailed,
      'Error: Address already in use',
    ];
    const kept = execFileSync('grep', ['-v', '-E', TRAFFIC], { input: `${lines.join('\n')}\n` }).toString();
    expect(kept.trim().split('\n')).toEqual(lines.slice(7));
  });
});
