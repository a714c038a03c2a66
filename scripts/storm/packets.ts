/** Inside the fault proxy: MQTT control packets cut out of a byte stream (MQTT 5.0, sections 2.1 and 3.3). */

export const PUBLISH = 3;
export const PUBACK = 4;

export interface Packet {
  readonly type: number;
  readonly qos: number;
  /** The whole packet. */
  readonly bytes: Buffer;
  /** Where its packet identifier stands, for PUBLISH with QoS 1 and PUBACK. */
  readonly idAt: number | undefined;
}

/** Takes chunks as they come and gives the packets that are complete. */
export function packetReader(): (chunk: Buffer) => Packet[] {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const packets: Packet[] = [];
    for (let packet = first(rest); packet; packet = first(rest)) {
      packets.push(packet);
      rest = rest.subarray(packet.bytes.length);
    }
    return packets;
  };
}

function first(bytes: Buffer): Packet | undefined {
  let length = 0;
  for (let at = 1; at <= 4; at++) {
    const byte = bytes[at];
    if (byte === undefined) return undefined;
    length += (byte & 0x7f) * 128 ** (at - 1);
    if (byte >= 0x80) continue;
    const bodyAt = at + 1;
    if (bytes.length < bodyAt + length) return undefined;
    const whole = Buffer.from(bytes.subarray(0, bodyAt + length));
    const type = whole[0]! >> 4;
    const qos = type === PUBLISH ? (whole[0]! >> 1) & 3 : 0;
    const afterTopic = type === PUBLISH && qos > 0 ? bodyAt + 2 + whole.readUInt16BE(bodyAt) : undefined;
    return { type, qos, bytes: whole, idAt: type === PUBACK ? bodyAt : afterTopic };
  }
  return undefined;
}

/** The same packet under another identifier. */
export function withId(packet: Packet, id: number): Buffer {
  const bytes = Buffer.from(packet.bytes);
  bytes.writeUInt16BE(id, packet.idAt!);
  return bytes;
}

/** A PUBACK that says that all is well. */
export function puback(id: number): Buffer {
  return Buffer.from([PUBACK << 4, 2, id >> 8, id & 0xff]);
}
