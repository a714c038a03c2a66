import { describe, expect, it } from 'vitest';
import { SoftCanvas } from '../../../../models/pose/soft-gl.ts';

const UNPACK_FLIP_Y = 0x9240;

function uploaded(flip: boolean) {
  const gl = new SoftCanvas().getContext('webgl2')!;
  const texture = gl.createTexture();
  gl.bindTexture(0, texture);
  gl.pixelStorei(UNPACK_FLIP_Y, flip);
  const data = Uint8ClampedArray.from({ length: 2 * 3 * 4 }, (_, i) => i);
  gl.texImage2D(0, 0, 0, 0, 0, { width: 2, height: 3, data });
  gl.bindFramebuffer(0, gl.createFramebuffer());
  gl.framebufferTexture2D(0, 0, 0, texture);
  return gl;
}

describe('the stand-in for WebGL', () => {
  it('reads back what was uploaded', () => {
    const out = new Uint8Array(24);
    uploaded(false).readPixels(0, 0, 2, 3, 0, 0, out);
    expect([...out]).toEqual(Array.from({ length: 24 }, (_, i) => i));
  });

  it('turns the rows over when asked to', () => {
    const out = new Uint8Array(24);
    uploaded(true).readPixels(0, 0, 2, 3, 0, 0, out);
    expect([...out.subarray(0, 8)]).toEqual([16, 17, 18, 19, 20, 21, 22, 23]);
  });

  it('reads a part, into a place in memory', () => {
    const memory = new Uint8Array(20);
    uploaded(false).readPixels(1, 1, 1, 2, 0, 0, memory, 8);
    expect([...memory]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 12, 13, 14, 15, 20, 21, 22, 23, 0, 0, 0, 0]);
  });

  it('keeps its own copy of the bytes, since the memory they came from is used again', () => {
    const gl = new SoftCanvas().getContext('webgl2')!;
    const texture = gl.createTexture();
    gl.bindTexture(0, texture);
    const memory = new Uint8Array(16).fill(9);
    gl.texImage2D(0, 0, 0, 1, 2, 0, 0, 0, memory, 8);
    memory.fill(1);
    expect([...texture.bytes]).toEqual(Array(8).fill(9));
  });

  it('says so when it is used in another way than MediaPipe does', () => {
    const gl = new SoftCanvas().getContext('webgl2')!;
    expect(() => gl.texImage2D(0, 0, 0, 1, 1, 0, 0, 0, null)).toThrow(expect.objectContaining({ kind: 'Bug' }));
    expect(() => gl.readPixels(0, 0, 1, 1, 0, 0, new Uint8Array(4))).toThrow(expect.objectContaining({ kind: 'Bug' }));
    expect(new SoftCanvas().getContext('2d')).toBeNull();
  });
});
