/** Reads the picture size out of an H.264 sequence parameter set (ITU-T H.264, 7.3.2.1.1), which ONVIF profiles must state. */
import { InvalidInput } from '../../protocol/errors.ts';

/** Profiles whose parameter set carries chroma format and scaling lists. */
const HIGH_PROFILES = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128]);

/** Width and height in pixels of the pictures that follow this SPS (a NAL unit with its header byte). */
export function pictureSize(sps: Buffer): { width: number; height: number } {
  const bits = reader(unescaped(sps.subarray(1)));
  const profile = bits.take(8);
  bits.take(16);
  bits.ue();
  let chroma = 1;
  if (HIGH_PROFILES.has(profile)) {
    chroma = bits.ue();
    if (chroma === 3) bits.take(1);
    bits.ue();
    bits.ue();
    bits.take(1);
    if (bits.take(1) === 1)
      throw new InvalidInput('sps_scaling_lists', 'H.264 scaling lists are not read here; encode without');
  }
  bits.ue();
  const order = bits.ue();
  if (order === 0) bits.ue();
  if (order === 1) {
    bits.take(1);
    bits.se();
    bits.se();
    for (let left = bits.ue(); left > 0; left--) bits.se();
  }
  bits.ue();
  bits.take(1);
  const widthMbs = bits.ue() + 1;
  const heightUnits = bits.ue() + 1;
  const framesOnly = bits.take(1);
  if (framesOnly === 0) bits.take(1);
  bits.take(1);
  let [left, right, top, bottom] = [0, 0, 0, 0];
  if (bits.take(1) === 1) [left, right, top, bottom] = [bits.ue(), bits.ue(), bits.ue(), bits.ue()];
  const cropX = chroma === 1 || chroma === 2 ? 2 : 1;
  const cropY = (chroma === 1 ? 2 : 1) * (2 - framesOnly);
  return {
    width: widthMbs * 16 - cropX * (left + right),
    height: heightUnits * 16 * (2 - framesOnly) - cropY * (top + bottom),
  };
}

/** Removes the emulation prevention bytes (00 00 03). */
function unescaped(bytes: Buffer): number[] {
  const out: number[] = [];
  let zeros = 0;
  for (const byte of bytes) {
    if (zeros >= 2 && byte === 3) {
      zeros = 0;
      continue;
    }
    zeros = byte === 0 ? zeros + 1 : 0;
    out.push(byte);
  }
  return out;
}

function reader(bytes: readonly number[]) {
  let at = 0;
  const bit = () => {
    const value = (bytes[at >> 3]! >> (7 - (at & 7))) & 1;
    at++;
    return value;
  };
  const take = (count: number) => {
    let value = 0;
    for (let i = 0; i < count; i++) value = value * 2 + bit();
    return value;
  };
  const ue = () => {
    let zeros = 0;
    while (bit() === 0 && zeros < 32 && at < bytes.length * 8) zeros++;
    return 2 ** zeros - 1 + take(zeros);
  };
  const se = () => {
    const code = ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  };
  return { take, ue, se };
}
