/** The faults that the fake camera can show at run time: what real cameras did, named. */

export const FAULTS = [
  /** Nobody listens: connections are refused. */
  'refuse',
  /** Every request is answered 401, whatever the password. */
  'unauthorized',
  /** Connections stand and say nothing. */
  'hang',
  /** All connections are cut once; new ones are welcome. */
  'drop',
  /** The same keyframe again and again with rising time, as a stuck encoder sends it; sound goes on. */
  'freeze',
  /** Picture packets stop, sound goes on. */
  'audioOnly',
  /** Sound packets stop, the picture goes on. */
  'videoOnly',
  /** The camera's clock and its RTP time jump an hour ahead, and back when the fault is lifted. */
  'clockJump',
  /** Slices arrive with scrambled bytes. */
  'corrupt',
  /** Main and sub change places: the picture's size changes in mid-stream. */
  'resize',
] as const;

export type Fault = (typeof FAULTS)[number];

/** How far `clockJump` jumps. */
export const CLOCK_JUMP_MS = 3_600_000;

/** Scrambles the payload of slices (NAL types 1 and 5) beyond their headers, the same way each time. */
export function scrambled(nal: Buffer): Buffer {
  const type = nal[0]! & 31;
  if (type !== 1 && type !== 5) return nal;
  const copy = Buffer.from(nal);
  let state = 0x2545f491;
  for (let at = 24; at < copy.length; at += 7) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    // Never zero: a start code inside a NAL unit would be another fault.
    copy[at] = 1 + (state % 255);
  }
  return copy;
}
