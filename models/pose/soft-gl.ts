/**
 * Texture memory in place of WebGL: MediaPipe carries a picture into its CPU graph through a texture, which it
 * uploads and reads back without ever running a shader. So a canvas is enough that keeps bytes and answers questions.
 */
import { Bug } from '../../protocol/errors.ts';

interface Texture {
  width: number;
  height: number;
  bytes: Uint8Array;
}

interface Framebuffer {
  texture: Texture | undefined;
}

/** A picture as MediaPipe takes it: RGBA, row-major. */
export interface RgbaPicture {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/** Names and numbers of WebGL that are asked for. */
const GL = {
  UNPACK_FLIP_Y_WEBGL: 0x9240,
  MAX_VERTEX_ATTRIBS: 0x8869,
  VERSION: 0x1f02,
  RENDERER: 0x1f01,
  FRAMEBUFFER_COMPLETE: 0x8cd5,
  ALREADY_SIGNALED: 0x911a,
  SIGNALED: 0x9119,
} as const;

/** The part of WebGL2RenderingContext that MediaPipe's CPU path calls. */
class SoftContext {
  readonly canvas: SoftCanvas;
  readonly TEXTURE_2D = 0x0de1;
  readonly RGBA = 0x1908;
  readonly UNSIGNED_BYTE = 0x1401;
  readonly FRAMEBUFFER = 0x8d40;
  readonly UNPACK_FLIP_Y_WEBGL = GL.UNPACK_FLIP_Y_WEBGL;
  #texture: Texture | undefined;
  #framebuffer: Framebuffer | undefined;
  #flip = false;

  constructor(canvas: SoftCanvas) {
    this.canvas = canvas;
  }

  createTexture(): Texture {
    return { width: 0, height: 0, bytes: new Uint8Array(0) };
  }
  deleteTexture(): void {}
  bindTexture(_target: number, texture: Texture | null): void {
    this.#texture = texture ?? undefined;
  }
  activeTexture(): void {}
  texParameteri(): void {}
  pixelStorei(name: number, value: number | boolean): void {
    if (name === GL.UNPACK_FLIP_Y_WEBGL) this.#flip = Boolean(value);
  }

  /** Either (target, level, format, format, type, picture) or (target, level, format, width, height, border, format, type, bytes, offset). */
  texImage2D(...args: unknown[]): void {
    const texture = this.#texture;
    if (!texture) throw new Bug('soft_gl', 'texImage2D without a bound texture');
    if (args.length === 6) {
      const picture = args[5] as RgbaPicture;
      texture.width = picture.width;
      texture.height = picture.height;
      texture.bytes = this.#flip ? upsideDown(picture) : Uint8Array.from(picture.data);
      return;
    }
    texture.width = args[3] as number;
    texture.height = args[4] as number;
    const size = texture.width * texture.height * 4;
    const source = args[8] as ArrayBufferView | null | undefined;
    const offset = (args[9] as number | undefined) ?? 0;
    texture.bytes = source
      ? Uint8Array.from(new Uint8Array(source.buffer, source.byteOffset + offset, size))
      : new Uint8Array(size);
  }

  createFramebuffer(): Framebuffer {
    return { texture: undefined };
  }
  deleteFramebuffer(): void {}
  bindFramebuffer(_target: number, framebuffer: Framebuffer | null): void {
    this.#framebuffer = framebuffer ?? undefined;
  }
  framebufferTexture2D(_target: number, _attachment: number, _textureTarget: number, texture: Texture | null): void {
    if (this.#framebuffer) this.#framebuffer.texture = texture ?? undefined;
  }
  checkFramebufferStatus(): number {
    return GL.FRAMEBUFFER_COMPLETE;
  }

  readPixels(
    x: number,
    y: number,
    w: number,
    h: number,
    _format: number,
    _type: number,
    into: ArrayBufferView,
    offset = 0,
  ) {
    const texture = this.#framebuffer?.texture;
    if (!texture) throw new Bug('soft_gl', 'readPixels without a texture in the frame buffer');
    const out = new Uint8Array(into.buffer, into.byteOffset + offset, w * h * 4);
    for (let row = 0; row < h; row++) {
      const begin = ((y + row) * texture.width + x) * 4;
      out.set(texture.bytes.subarray(begin, begin + w * 4), row * w * 4);
    }
  }

  getParameter(name: number): unknown {
    if (name === GL.VERSION) return 'WebGL 2.0 (soft)';
    if (name === GL.RENDERER) return 'soft';
    if (name === GL.MAX_VERTEX_ATTRIBS) return 16;
    return 0;
  }
  getExtension(): null {
    return null;
  }
  getSupportedExtensions(): string[] {
    return [];
  }
  getContextAttributes(): Record<string, boolean> {
    return { alpha: true, depth: false, stencil: false, antialias: false, premultipliedAlpha: true };
  }
  getError(): number {
    return 0;
  }
  isContextLost(): boolean {
    return false;
  }
  flush(): void {}
  finish(): void {}
  fenceSync(): object {
    return {};
  }
  clientWaitSync(): number {
    return GL.ALREADY_SIGNALED;
  }
  getSyncParameter(): number {
    return GL.SIGNALED;
  }
  deleteSync(): void {}
}

function upsideDown({ width, height, data }: RgbaPicture): Uint8Array {
  const row = width * 4;
  const out = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) out.set(data.subarray(y * row, (y + 1) * row), (height - 1 - y) * row);
  return out;
}

/** The canvas that is handed to MediaPipe; it has a context for WebGL and none for anything else. */
export class SoftCanvas {
  width = 1;
  height = 1;
  #context: SoftContext | undefined;

  getContext(kind: string): SoftContext | null {
    if (kind !== 'webgl2' && kind !== 'webgl') return null;
    this.#context ??= new SoftContext(this);
    return this.#context;
  }
  addEventListener(): void {}
  removeEventListener(): void {}
}
