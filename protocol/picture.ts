/** A larger picture of a camera, asked for by somebody at the desk: the question on the room's ack topic, the answer on its snapshot topic. */
import { LIMITS, PROTOCOL_VERSION } from './stream.ts';

/** Longest side of the picture that a box gives, in pixels. */
export const PICTURE_SIDE = 1600;

/** So long the desk waits for an answer; a box gives none to a question that is older. */
export const PICTURE_WAIT_MS = 12_000;

/** Cloud -> box, on `topics.ack`, QoS 0: a box that is away never hears of it. */
export interface PictureAsk {
  readonly v: typeof PROTOCOL_VERSION;
  readonly ask: 'picture';
  readonly askId: string;
  readonly cameraId: string;
}

/** Why a box gives none: it has no such camera, it has recorded nothing lately, or it could not make one. */
export const PICTURE_REFUSALS = ['no_camera', 'not_recorded', 'failed'] as const;
export type PictureRefusal = (typeof PICTURE_REFUSALS)[number];

/** Box -> cloud, on `topics.snapshot` of that camera: this as one line of JSON, and where there is one the JPEG behind it. */
export interface PictureAnswer {
  readonly askId: string;
  /** How long ago the camera showed it, by the box's own clock: clocks of two machines are never compared. */
  readonly ageMs: number;
  readonly refused?: PictureRefusal;
  readonly jpeg?: Uint8Array;
}

/** No box shows what is as old as this. */
const AGE_MAX_MS = 86_400_000;
const ID = /^[A-Za-z0-9_-]{1,64}$/;
const HEAD_BYTES = 256;
const NEWLINE = 0x0a;
const BRACE = 0x7b;

export const askBytes = ({ askId, cameraId }: Pick<PictureAsk, 'askId' | 'cameraId'>): Buffer =>
  Buffer.from(JSON.stringify({ v: PROTOCOL_VERSION, ask: 'picture', askId, cameraId } satisfies PictureAsk));

/** Undefined for whatever else comes on an ack topic. */
export function readAsk(bytes: Uint8Array): PictureAsk | undefined {
  if (bytes.length > HEAD_BYTES) return undefined;
  const { v, ask, askId, cameraId } = fields(bytes);
  if (v !== PROTOCOL_VERSION || ask !== 'picture' || !isId(askId) || !isId(cameraId)) return undefined;
  return { v, ask, askId, cameraId };
}

export function answerBytes({ jpeg, ...head }: PictureAnswer): Buffer {
  return Buffer.concat([Buffer.from(`${JSON.stringify(head)}\n`), jpeg ?? Buffer.alloc(0)]);
}

/** So many bytes of JPEG have room in an answer. */
export const PICTURE_BYTES = LIMITS.snapshotBytes - HEAD_BYTES;

/** True for a payload of a snapshot topic that is no bare JPEG but means to be an answer. */
export const isAnswer = (bytes: Uint8Array): boolean => bytes[0] === BRACE;

/** Undefined for what is none, or neither holds a JPEG nor says why not. */
export function readAnswer(bytes: Uint8Array): PictureAnswer | undefined {
  const end = bytes.subarray(0, HEAD_BYTES).indexOf(NEWLINE);
  if (end < 0 || bytes.length > LIMITS.snapshotBytes) return undefined;
  const { askId, ageMs, refused } = fields(bytes.subarray(0, end));
  if (!isId(askId) || typeof ageMs !== 'number' || !(ageMs >= 0 && ageMs <= AGE_MAX_MS)) return undefined;
  const why = PICTURE_REFUSALS.find((one) => one === refused);
  if (refused !== undefined) return why && { askId, ageMs, refused: why };
  const jpeg = bytes.subarray(end + 1);
  return isJpeg(jpeg) ? { askId, ageMs, jpeg } : undefined;
}

export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;

const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value);

function fields(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
