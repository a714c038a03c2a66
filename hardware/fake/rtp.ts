/** RTP and RTCP bytes of the fake camera: H.264 after RFC 6184, AAC after RFC 3640, sender reports after RFC 3550. */

/** Payload bytes of one RTP packet: small enough for any Ethernet, as cameras send it. */
export const MAX_PAYLOAD = 1400;

const FU_A = 28;

/** Payloads of one access unit: NAL units that fit go whole, larger ones as FU-A fragments. The last one carries the marker bit. */
export function packetiseH264(nals: readonly Buffer[], maxPayload = MAX_PAYLOAD): Buffer[] {
  const payloads: Buffer[] = [];
  for (const nal of nals) {
    if (nal.length <= maxPayload) {
      payloads.push(nal);
      continue;
    }
    const head = nal[0]!;
    const room = maxPayload - 2;
    for (let at = 1; at < nal.length; at += room) {
      const piece = nal.subarray(at, at + room);
      const start = at === 1 ? 0x80 : 0;
      const end = at + room >= nal.length ? 0x40 : 0;
      payloads.push(Buffer.concat([Buffer.from([(head & 0xe0) | FU_A, start | end | (head & 0x1f)]), piece]));
    }
  }
  return payloads;
}

/** Payload of one AAC frame in mode AAC-hbr: one AU header of 13 bits size and 3 bits index. */
export function packetiseAac(frame: Buffer): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt16BE(16, 0);
  head.writeUInt16BE(frame.length << 3, 2);
  return Buffer.concat([head, frame]);
}

export interface RtpHeader {
  readonly payloadType: number;
  readonly marker: boolean;
  readonly seq: number;
  /** In units of the payload's clock; taken modulo 2^32. */
  readonly timestamp: number;
  readonly ssrc: number;
}

/** One RTP packet, version 2, without CSRC and extensions. */
export function rtpPacket({ payloadType, marker, seq, timestamp, ssrc }: RtpHeader, payload: Buffer): Buffer {
  const packet = Buffer.allocUnsafe(12 + payload.length);
  packet[0] = 0x80;
  packet[1] = (marker ? 0x80 : 0) | payloadType;
  packet.writeUInt16BE(seq & 0xffff, 2);
  packet.writeUInt32BE(modulo32(timestamp), 4);
  packet.writeUInt32BE(ssrc, 8);
  payload.copy(packet, 12);
  return packet;
}

/** Seconds between the NTP era (1900) and the Unix epoch. */
const NTP_OFFSET_S = 2_208_988_800;

export interface SenderReport {
  readonly ssrc: number;
  readonly wallMs: number;
  readonly timestamp: number;
  readonly packets: number;
  readonly octets: number;
}

/** RTCP sender report: the same moment on the camera's wall clock and on the RTP clock. */
export function senderReport({ ssrc, wallMs, timestamp, packets, octets }: SenderReport): Buffer {
  const report = Buffer.alloc(28);
  report[0] = 0x80;
  report[1] = 200;
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(ssrc, 4);
  const seconds = Math.floor(wallMs / 1000);
  report.writeUInt32BE(modulo32(seconds + NTP_OFFSET_S), 8);
  report.writeUInt32BE(Math.floor(((wallMs - seconds * 1000) / 1000) * 2 ** 32), 12);
  report.writeUInt32BE(modulo32(timestamp), 16);
  report.writeUInt32BE(modulo32(packets), 20);
  report.writeUInt32BE(modulo32(octets), 24);
  return report;
}

/** Frames a packet for RTP over the RTSP connection (RFC 2326, 10.12). */
export function interleaved(channel: number, packet: Buffer): Buffer {
  const head = Buffer.from([0x24, channel, 0, 0]);
  head.writeUInt16BE(packet.length, 2);
  return Buffer.concat([head, packet]);
}

function modulo32(value: number): number {
  return ((Math.round(value) % 2 ** 32) + 2 ** 32) % 2 ** 32;
}
