/** Judges of whether somebody speaks: silero's net through ONNX Runtime, and the Mandarin net by how little it holds for a blank. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { createFbank } from '../../models/speech/fbank.ts';
import { readFsmnModel } from '../../models/speech/fsmn-files.ts';
import { createFsmnNet } from '../../models/speech/fsmn-net.ts';
import { Unavailable } from '../../protocol/errors.ts';
import type { Judge } from './gated.ts';

/** Samples that silero judges at once, and those before them that it wants to see again. */
const PIECE = 512;
const CONTEXT = 64;
const STATE = [2, 1, 128];

/** Reads silero-vad/silero_vad_v6.onnx in the models folder. */
export async function createSileroJudge(modelsFolder: string): Promise<() => Judge> {
  const file = join(modelsFolder, 'silero-vad/silero_vad_v6.onnx');
  if (!existsSync(file))
    throw new Unavailable('model_missing', `measuring with silero: no ${file}; put the release 6 of silero-vad there`);
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const sr = new Tensor('int64', BigInt64Array.of(16_000n), []);
  return () => {
    let state = new Tensor('float32', new Float32Array(256), STATE);
    const input = new Float32Array(CONTEXT + PIECE);
    return {
      piece: PIECE,
      async speech(samples) {
        input.copyWithin(0, PIECE);
        for (let i = 0; i < PIECE; i++) input[CONTEXT + i] = samples[i]! / 32_768;
        const found = await session.run({ input: new Tensor('float32', input.slice(), [1, input.length]), state, sr });
        state = found.stateN as typeof state;
        return (found.output!.data as Float32Array)[0]!;
      },
    };
  };
}

/** By the net itself: the whole net has to run for it, so that only what comes after the net can be spared. */
export function createBlankJudge(modelsFolder: string): () => Judge {
  const model = readFsmnModel(modelsFolder);
  return () => {
    const fbank = createFbank();
    const net = createFsmnNet(model.net, model.mvn);
    let last = 1;
    return {
      piece: 480,
      speech(samples) {
        for (const posterior of net.push(fbank.push(samples))) last = 1 - posterior[0]!;
        return last;
      },
    };
  };
}
