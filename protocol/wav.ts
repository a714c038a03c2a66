/** Recorded sound as a file that every player knows: sent by the rule page, shown by the reports of the ears. */

const HEAD_BYTES = 44;

/** A WAV file of one channel and 16 bit; `rate` in samples a second. */
export function wavOf(samples: Int16Array, rate = 16_000): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(HEAD_BYTES + samples.length * 2));
  const text = (at: number, words: string) => {
    for (let i = 0; i < words.length; i++) view.setUint8(at + i, words.charCodeAt(i));
  };
  text(0, 'RIFF');
  view.setUint32(4, HEAD_BYTES - 8 + samples.length * 2, true);
  text(8, 'WAVEfmt ');
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, 'data');
  view.setUint32(40, samples.length * 2, true);
  for (const [i, value] of samples.entries()) view.setInt16(HEAD_BYTES + i * 2, value, true);
  return new Uint8Array(view.buffer);
}
