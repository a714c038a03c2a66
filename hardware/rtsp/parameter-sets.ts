/** Finds the parameter sets at the head of a segment's first picture: when they differ from the last segment's, the stream has changed. */

const H264_SETS = new Set([7, 8]);
const HEVC_SETS = new Set([32, 33, 34]);
/** Access unit delimiters and SEI stand between the sets and say nothing about the format. */
const H264_SKIP = new Set([6, 9]);
const HEVC_SKIP = new Set([35, 39, 40]);

/**
 * `head`: the first bytes of an mp4 whose picture data stands before its index, as ffmpeg writes segments.
 * Returns the sets one after another, or undefined where the first picture does not begin with any.
 */
export function parameterSets(head: Buffer): Buffer | undefined {
  let at = 0;
  while (at + 8 <= head.length && head.toString('latin1', at + 4, at + 8) !== 'mdat') {
    const size = head.readUInt32BE(at);
    if (size < 8) return undefined;
    at += size;
  }
  if (at + 8 > head.length) return undefined;
  const large = head.readUInt32BE(at) === 1;
  at += large ? 16 : 8;
  const sets: Buffer[] = [];
  while (at + 5 < head.length) {
    const length = head.readUInt32BE(at);
    const nal = head.subarray(at + 4, at + 4 + length);
    if (nal.length < length) break;
    const h264 = nal[0]! & 31;
    const hevc = (nal[0]! >> 1) & 63;
    // HEVC headers have zero layer bits, so the low bit of their first byte is 0; H.264 sets have non-zero reference bits.
    const isHevc = HEVC_SETS.has(hevc) && nal[1] === 1;
    if (isHevc || H264_SETS.has(h264)) sets.push(nal);
    else if (!H264_SKIP.has(h264) && !HEVC_SKIP.has(hevc)) break;
    at += 4 + length;
  }
  return sets.length === 0 ? undefined : Buffer.concat(sets);
}
