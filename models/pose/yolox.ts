/** Person detector of the better model set: YOLOX-nano on ONNX Runtime, one thread. */
import { InferenceSession, listSupportedBackends, Tensor } from 'onnxruntime-node';
import { Bug, Corrupt } from '../../protocol/errors.ts';
import type { Box } from '../../protocol/seat.ts';
import { suppress } from './boxes.ts';
import { COCO_PERSON, COCO_PHONE, PHONE_SCORE, WEAKEST } from './coco.ts';
import { checkPicture, letterbox, WHOLE } from './crop.ts';
import type { Detection, PersonDetector } from './detector.ts';
import { chooseProviders } from './providers.ts';

const SIZE = 416;
const STRIDES = [8, 16, 32] as const;
/** Per cell: cx, cy, w, h, objectness, 80 classes. */
const VALUES = 85;

export interface YoloxOptions {
  /** Path of yolox_nano.onnx, its hash already verified. */
  readonly file: string;
  /** Lowest score of a person, 0..1. */
  readonly threshold?: number;
  /** Execution providers, best first; default the processor. */
  readonly providers?: readonly string[];
  /** Told why it is not the first of them. */
  readonly onNote?: (note: string) => void;
}

/** Loads the model; Corrupt `model_unreadable` when the runtime refuses the file. */
export async function createYolox(options: YoloxOptions): Promise<PersonDetector> {
  const { file, threshold = WEAKEST, providers = ['cpu'], onNote } = options;
  const chosen = chooseProviders(
    providers,
    listSupportedBackends().map(({ name }) => name),
  );
  if (chosen.note !== undefined) onNote?.(chosen.note);
  const open = (executionProviders: readonly string[]) =>
    InferenceSession.create(file, {
      executionProviders: [...executionProviders],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: 3,
    });
  let session: InferenceSession;
  try {
    session = await open(chosen.providers).catch(async (error: unknown) => {
      if (chosen.providers[0] === 'cpu') throw error;
      // Built in, and without its driver or its libraries on this machine.
      onNote?.(`${chosen.providers[0]} can not be used here, the detector runs on the processor: ${String(error)}`);
      return await open(['cpu']);
    });
  } catch (cause) {
    throw new Corrupt('model_unreadable', `ONNX Runtime cannot read ${file}: fetch it again`, cause);
  }
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  if (!inputName || !outputName) throw new Corrupt('model_unreadable', `${file} has no input or no output`);
  const cells = cellsOf();

  return {
    name: 'yolox-nano',
    async detect(picture, region = WHOLE) {
      checkPicture(picture);
      const boxed = letterbox(picture, region, SIZE, 114);
      // A buffer of its own for each call: the runtime reads it later, when another call may have begun.
      const input = toPlanes(boxed.rgb);
      const result = await session.run({ [inputName]: new Tensor('float32', input, [1, 3, SIZE, SIZE]) });
      const output = result[outputName]?.data;
      if (!(output instanceof Float32Array) || output.length !== cells.length * VALUES)
        throw new Bug('model_output', `${file} gave ${output?.length} values, expected ${cells.length * VALUES}`);
      return suppress(decode(output, cells, threshold, boxed.toPicture));
    },
    close: () => session.release(),
  };
}

interface Cell {
  readonly x: number;
  readonly y: number;
  readonly stride: number;
}

function cellsOf(): Cell[] {
  return STRIDES.flatMap((stride) => {
    const side = SIZE / stride;
    return Array.from({ length: side * side }, (_, i) => ({ x: i % side, y: Math.floor(i / side), stride }));
  });
}

/** RGB bytes to the planes B, G, R as plain numbers 0..255, as the model was trained. */
function toPlanes(rgb: Uint8Array): Float32Array {
  const planes = new Float32Array(rgb.length);
  const plane = planes.length / 3;
  for (let i = 0, p = 0; i < plane; i++, p += 3) {
    planes[i] = rgb[p + 2]!;
    planes[plane + i] = rgb[p + 1]!;
    planes[2 * plane + i] = rgb[p]!;
  }
  return planes;
}

function decode(
  output: Float32Array,
  cells: readonly Cell[],
  threshold: number,
  toPicture: (x: number, y: number) => [number, number],
): Detection[] {
  const found: Detection[] = [];
  for (let i = 0; i < cells.length; i++) {
    const at = i * VALUES;
    const objectness = output[at + 4]!;
    const person = objectness * output[at + 5 + COCO_PERSON]!;
    const phone = objectness * output[at + 5 + COCO_PHONE]!;
    if (person < threshold && phone < PHONE_SCORE) continue;
    const { x, y, stride } = cells[i]!;
    const cx = (output[at]! + x) * stride;
    const cy = (output[at + 1]! + y) * stride;
    const w = Math.exp(output[at + 2]!) * stride;
    const h = Math.exp(output[at + 3]!) * stride;
    const box: Box = [...toPicture(cx - w / 2, cy - h / 2), ...toPicture(cx + w / 2, cy + h / 2)];
    found.push(person >= threshold ? { box, score: person, label: 'person' } : { box, score: phone, label: 'phone' });
  }
  return found;
}
