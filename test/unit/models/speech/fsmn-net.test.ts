/** The Mandarin net in plain TypeScript: golden vectors of a seeded net, and agreement with ONNX Runtime on the real one. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createFbank } from '../../../../models/speech/fbank.ts';
import { readFsmnModel } from '../../../../models/speech/fsmn-files.ts';
import { createFsmnNet } from '../../../../models/speech/fsmn-net.ts';
import { averageNets, parseMvn, parseNet } from '../../../../models/speech/nnet.ts';
import { SMALL_TOKENS, smallMvn, smallNet, tone } from './small-net.ts';

const shape = { inputs: 400, hidden: 24, memory: 12, outputs: SMALL_TOKENS.length };
const small = () => parseNet(smallNet(shape, 1), 'small.net');
const mvn = parseMvn(smallMvn(400), 400);
const models = process.env.EVALROOM_MODELS;

describe('parseNet', () => {
  it('reads layers and widths', () => {
    const net = small();
    expect([net.inputs, net.outputs]).toEqual([400, SMALL_TOKENS.length]);
    expect(net.layers.map((layer) => layer.kind).join(' ')).toBe(
      'affine relu affine memory affine relu affine memory affine',
    );
  });

  it.each([0, 1, 9, 200, 20_000])('calls a file cut after %i bytes corrupt', (bytes) => {
    expect(() => parseNet(smallNet(shape, 1).subarray(0, bytes), 'cut.net')).toThrowError(
      expect.objectContaining({
        kind: 'Corrupt',
        code: 'model_unreadable',
        message: expect.stringContaining('cut.net'),
      }),
    );
  });

  it('calls a normalisation of another width corrupt', () => {
    expect(() => parseMvn(smallMvn(80), 400)).toThrowError(expect.objectContaining({ kind: 'Corrupt' }));
  });
});

describe('averageNets', () => {
  it('mixes each weight and refuses another shape', () => {
    const [a, b] = [small(), parseNet(smallNet(shape, 2), 'b')];
    const mixed = averageNets(a, b, 0.75);
    const first = (net: typeof a) => (net.layers[0] as { weights: Float32Array }).weights[5]!;
    expect(first(mixed)).toBeCloseTo(0.75 * first(a) + 0.25 * first(b), 6);
    const other = parseNet(smallNet({ ...shape, hidden: 20 }, 1), 'c');
    expect(() => averageNets(a, other, 0.5)).toThrowError(expect.objectContaining({ code: 'model_mismatch' }));
  });
});

describe('createFsmnNet', () => {
  it('gives the golden posteriors', () => {
    const net = createFsmnNet(small(), mvn);
    expect(net.lookAhead).toBe(4);
    const rows = net.push(createFbank().push(tone(8000)));
    expect(rows).toHaveLength(12);
    const golden = [
      [0, [0.0457228, 0.041312, 0.04591019, 0.04498421]],
      [11, [0.04885283, 0.03987649, 0.04757324, 0.04825715]],
    ] as const;
    for (const [row, values] of golden)
      values.forEach((value, i) => {
        expect(rows[row]![i]).toBeCloseTo(value, 6);
      });
  });

  it('gives the same whether frames come one by one or together', () => {
    const mels = createFbank().push(tone(16_000));
    const whole = createFsmnNet(small(), mvn).push(mels);
    const single = createFsmnNet(small(), mvn);
    const rows = mels.flatMap((mel) => single.push([mel]));
    expect(rows).toHaveLength(whole.length);
    rows.forEach((row, i) => {
      row.forEach((value, j) => {
        expect(value).toBeCloseTo(whole[i]![j]!, 5);
      });
    });
  });

  it('agrees with ONNX Runtime on the real weights', async (context) => {
    const graph = join(models ?? '', 'fsmn-zh', 'soup.stream.onnx');
    if (!models || !existsSync(graph)) return context.skip('needs EVALROOM_MODELS with fsmn-zh/soup.stream.onnx');
    const ort = await import('onnxruntime-node');
    const model = readFsmnModel(models);
    const mels = createFbank().push(tone(32_000));
    const rows = createFsmnNet(model.net, model.mvn).push(mels);
    const spliced: number[] = [];
    let count = 0;
    for (let t = 0; t + 2 < mels.length; t += 3, count++)
      for (let k = -2; k <= 2; k++) spliced.push(...mels[Math.max(0, t + k)]!);
    const session = await ort.InferenceSession.create(graph, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    const feeds: Record<string, InstanceType<typeof ort.Tensor>> = {
      feats: new ort.Tensor('float32', Float32Array.from(spliced), [count, 400]),
    };
    for (let i = 0; i < 4; i++)
      feeds[`cache${i}`] = new ort.Tensor('float32', new Float32Array(128 * 11), [1, 128, 11]);
    const { logprob } = await session.run(feeds);
    const expected = logprob!.data as Float32Array;
    let worst = 0;
    rows.forEach((row, i) => {
      row.forEach((value, j) => {
        worst = Math.max(worst, Math.abs(value - Math.exp(expected[(i + 8) * 2599 + j]!)));
      });
    });
    expect(rows.length).toBe(count - 8);
    expect(worst).toBeLessThan(1e-4);
  });
});

describe('readFsmnModel', () => {
  it('says which file is missing and how to get it', () => {
    expect(() => readFsmnModel('/nonexistent')).toThrowError(
      expect.objectContaining({ code: 'model_missing', message: expect.stringContaining('evalroom models fetch zh') }),
    );
  });

  it('reads the real folder', (context) => {
    if (!models || !existsSync(join(models, 'fsmn-zh'))) return context.skip('needs EVALROOM_MODELS with fsmn-zh');
    const model = readFsmnModel(models);
    expect(model.tokens).toHaveLength(2599);
    expect(readFileSync(join(models, 'fsmn-zh', 'tokens_2599.txt'), 'utf8').startsWith(model.tokens[0]!)).toBe(true);
  });
});
