import { describe, expect, it } from 'vitest';
import { interleaved, packetiseAac, packetiseH264, rtpPacket, senderReport } from '../../../../hardware/fake/rtp.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('H.264 payloads (RFC 6184)', () => {
  it('leaves NAL units that fit whole', () => {
    const nals = [hex('67 42 00'), hex('68 ce'), hex('65 88 84')];
    expect(packetiseH264(nals, 100)).toEqual(nals);
  });

  it('cuts a large one into FU-A fragments: start, middle, end, with the type in the second byte', () => {
    const nal = hex('65 01 02 03 04 05 06 07 08');
    expect(packetiseH264([nal], 5).map((payload) => payload.toString('hex'))).toEqual([
      '7c85010203',
      '7c05040506',
      '7c450708',
    ]);
  });

  it('ends the last fragment exactly at the border without an empty one behind it', () => {
    const payloads = packetiseH264([hex('41 01 02 03 04 05 06')], 5);
    expect(payloads.map((payload) => payload.toString('hex'))).toEqual(['5c81010203', '5c41040506']);
  });

  it('gives back the NAL unit when the fragments are joined', () => {
    const nal = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i === 0 ? 0x65 : i % 251)));
    const payloads = packetiseH264([nal]);
    expect(Math.max(...payloads.map(({ length }) => length))).toBeLessThanOrEqual(1400);
    const head = (payloads[0]![0]! & 0xe0) | (payloads[0]![1]! & 0x1f);
    expect(Buffer.concat([Buffer.from([head]), ...payloads.map((payload) => payload.subarray(2))])).toEqual(nal);
  });
});

it('AAC payload (RFC 3640): 16 bits of headers, 13 bits of size, index 0', () => {
  expect(packetiseAac(hex('aa bb cc')).toString('hex')).toBe('00100018aabbcc');
});

describe('RTP and RTCP', () => {
  it('writes the twelve bytes of the header', () => {
    const header = { payloadType: 96, marker: true, seq: 0x1_0002, timestamp: 0x1_0000_0003, ssrc: 0x11223344 };
    expect(rtpPacket(header, hex('ff')).toString('hex')).toBe('80e000020000000311223344ff');
    expect(rtpPacket({ ...header, marker: false }, hex('ff'))[1]).toBe(0x60);
  });

  it('reports a wall time as NTP time beside the RTP time', () => {
    const report = senderReport({ ssrc: 1, wallMs: 1_500, timestamp: 90, packets: 7, octets: 700 });
    // 1970-01-01 00:00:01.5 is 2,208,988,801.5 s of the NTP era.
    expect(report.toString('hex')).toBe(
      '80c80006' + '00000001' + '83aa7e81' + '80000000' + '0000005a' + '00000007' + '000002bc',
    );
  });

  it('frames a packet for its channel', () => {
    expect(interleaved(2, hex('01 02 03')).toString('hex')).toBe('24020003010203');
  });
});
