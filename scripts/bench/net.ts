/** `evalroom bench net`: the Mandarin net in plain TypeScript beside the same net as a graph in ONNX Runtime. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TypedTensor } from 'onnxruntime-node';
import { DEFAULT_FOLDER } from '../../models/manifest.ts';
import { createFbank, MELS } from '../../models/speech/fbank.ts';
import { readFsmnModel } from '../../models/speech/fsmn-files.ts';
import { createFsmnNet, NET_SKIP } from '../../models/speech/fsmn-net.ts';
import { InvalidInput, Unavailable } from '../../protocol/errors.ts';
import type { NetOptions } from '../bench.ts';
import { rounded } from './figures.ts';

const CLI = fileURLToPath(new URL('../cli.ts', import.meta.url));
/** As a microphone gives it: a tenth of a second. */
const BLOCK = 1600;
const RATE = 16_000;
const SPLICE = 2;
const INPUTS = MELS * (2 * SPLICE + 1);
/** Memory of the graph: layers, channels and frames of each cache. */
const CACHES = 4;
const CACHE = [1, 128, 11] as const;

interface Figures {
  readonly loadMs: number;
  readonly rssMb: number;
  readonly msPerSecond: number;
}

/**
 * Prints a line for each, and with `json` one object as the last line. Each runs in a process of its own, since memory
 * and start are part of the choice.
 */
export async function benchNet({ onnx, seconds, json }: NetOptions): Promise<void> {
  const run = async (way: readonly string[]): Promise<Figures> => {
    const args = [CLI, 'bench', 'net-alone', '--seconds', String(seconds), ...way];
    const { stdout } = await promisify(execFile)(process.execPath, args).catch((cause: { stderr?: string }) => {
      const said = /evalroom: (.*)/.exec(cause.stderr ?? '')?.[1];
      throw new Unavailable(
        'bench_net',
        `${way.length > 0 ? onnx : 'the net in TypeScript'}: ${said ?? 'ended without a word'}`,
        cause,
      );
    });
    return JSON.parse(stdout.trim().split('\n').at(-1)!) as Figures;
  };
  const figures = { typescript: await run([]), onnx: await run(['--graph', onnx]) };
  for (const [name, { loadMs, rssMb, msPerSecond }] of Object.entries(figures))
    console.log(
      `${name.padEnd(10)}  ${msPerSecond} ms of processor per second of sound, ready after ${loadMs} ms, ${rssMb} MB more`,
    );
  if (json) console.log(JSON.stringify(figures));
}

/** One of the two, for `benchNet`: prints its figures as JSON. */
export async function benchNetAlone(graph: string | undefined, seconds: number): Promise<void> {
  console.log(JSON.stringify(graph === undefined ? await ownNet(seconds) : await graphNet(graph, seconds)));
}

/** @throws InvalidInput `bench_graph` */
async function graphNet(file: string, seconds: number): Promise<Figures> {
  const before = began();
  const { InferenceSession, Tensor } = await import('onnxruntime-node');
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  if (!session.inputNames.includes('cache0'))
    throw new InvalidInput('bench_graph', `${file} has no input cache0: it is not the streaming graph of the net`);
  const zeros = () => new Tensor('float32', new Float32Array(CACHE[1] * CACHE[2]), [...CACHE]);
  const caches = Object.fromEntries(Array.from({ length: CACHES }, (_, i) => [`cache${i}`, zeros()]));
  const run = async (frames: readonly Float32Array[]) => {
    const x = new Float32Array(frames.length * INPUTS);
    frames.forEach((frame, i) => void x.set(frame, i * INPUTS));
    const result = await session.run({ feats: new Tensor('float32', x, [frames.length, INPUTS]), ...caches });
    for (const name of Object.keys(caches)) caches[name] = result[`${name}_out`] as TypedTensor<'float32'>;
  };
  await run([new Float32Array(INPUTS)]);
  const ready = before();
  const frames = spliced(seconds);
  await timed(frames.slice(0, 20), run);
  return { ...ready, msPerSecond: perSecond(await timed(frames, run), seconds) };
}

async function ownNet(seconds: number): Promise<Figures> {
  const before = began();
  const { net: weights, mvn } = readFsmnModel(process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER);
  const net = createFsmnNet(weights, mvn);
  net.push([new Float32Array(MELS)]);
  const ready = before();
  const blocks = banks(seconds);
  await timed(blocks.slice(0, 20), async (bank) => void net.push(bank));
  return { ...ready, msPerSecond: perSecond(await timed(blocks, async (bank) => void net.push(bank)), seconds) };
}

const perSecond = (ms: number, seconds: number) => rounded(ms / seconds, 2) ?? Number.NaN;

/** Until the returned function is called: how long it took, and how much more memory the process has. */
function began(): () => Pick<Figures, 'loadMs' | 'rssMb'> {
  const [atMs, rss] = [performance.now(), process.memoryUsage.rss()];
  return () => ({
    loadMs: Math.round(performance.now() - atMs),
    rssMb: Math.round((process.memoryUsage.rss() - rss) / 1e6),
  });
}

/** Processor ms for all blocks, one after another. */
async function timed<T>(blocks: readonly T[], run: (block: T) => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  for (const block of blocks) await run(block);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Filter bank frames of noise, block by block: what they hold does not change how long a net takes. */
function banks(seconds: number): Float32Array[][] {
  const fbank = createFbank();
  return Array.from({ length: (seconds * RATE) / BLOCK }, () =>
    fbank.push(Int16Array.from({ length: BLOCK }, () => (Math.random() - 0.5) * 8000)),
  );
}

/** The same, two neighbours on each side spliced to every third frame, as the graph wants them. */
function spliced(seconds: number): Float32Array[][] {
  return banks(seconds).map((bank) =>
    bank
      .filter((_, i) => i % NET_SKIP === 0)
      .map((_, n) => {
        const x = new Float32Array(INPUTS);
        for (let k = -SPLICE; k <= SPLICE; k++)
          x.set(bank[Math.min(bank.length - 1, Math.max(0, n * NET_SKIP + k))]!, (k + SPLICE) * MELS);
        return x;
      }),
  );
}
