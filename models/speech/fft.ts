/** The transform that the ears and their measuring share: complex FFT of any power of two, in place, tables made once. */

/** Takes real and imaginary parts of `size` values each and leaves the spectrum in their place. `size`: a power of two. */
export function createFft(size: number): (re: Float64Array, im: Float64Array) => void {
  const cos = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((-2 * Math.PI * k) / size));
  const sin = Float64Array.from({ length: size / 2 }, (_, k) => Math.sin((-2 * Math.PI * k) / size));
  const swap = new Uint32Array(size);
  for (let i = 0; i < size; i++) {
    let reversed = 0;
    for (let bit = 1, value = i; bit < size; bit <<= 1, value >>= 1) reversed = (reversed << 1) | (value & 1);
    swap[i] = reversed;
  }
  return (re, im) => {
    for (let i = 0; i < size; i++) {
      const j = swap[i]!;
      if (j <= i) continue;
      const a = re[i]!;
      re[i] = re[j]!;
      re[j] = a;
      const b = im[i]!;
      im[i] = im[j]!;
      im[j] = b;
    }
    for (let width = 2; width <= size; width <<= 1) {
      const half = width >> 1;
      const stride = size / width;
      for (let begin = 0; begin < size; begin += width) {
        for (let k = 0; k < half; k++) {
          const p = begin + k;
          const q = p + half;
          const c = cos[k * stride]!;
          const s = sin[k * stride]!;
          const x = re[q]! * c - im[q]! * s;
          const y = re[q]! * s + im[q]! * c;
          re[q] = re[p]! - x;
          im[q] = im[p]! - y;
          re[p] = re[p]! + x;
          im[p] = im[p]! + y;
        }
      }
    }
  };
}
