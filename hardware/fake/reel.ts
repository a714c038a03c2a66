/** Turns media files into timed H.264 access units and AAC frames in memory: the reels that the fake camera plays. */
import { InvalidInput } from '../../protocol/errors.ts';
import { runFfmpeg } from '../ffmpeg/run.ts';

export interface AccessUnit {
  /** Presentation time from the begin of the reel. */
  readonly tMs: number;
  readonly key: boolean;
  /** NAL units without start codes; those of a keyframe begin with SPS and PPS. */
  readonly nals: readonly Buffer[];
}

export interface VideoReel {
  readonly units: readonly AccessUnit[];
  readonly durationMs: number;
  readonly sps: Buffer;
  readonly pps: Buffer;
}

export interface SoundReel {
  readonly sampleRate: number;
  readonly channels: number;
  /** AudioSpecificConfig of ISO 14496-3, two bytes. */
  readonly config: Buffer;
  readonly samplesPerFrame: 1024;
  readonly frames: readonly Buffer[];
}

const NAL_IDR = 5;
const NAL_SPS = 7;
const NAL_PPS = 8;
const NAL_AUD = 9;

/** Splits an annex-B byte string (00 00 01 start codes) into NAL units without start codes and trailing zeros. */
export function splitAnnexB(bytes: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  let begin = -1;
  for (let i = 0; i + 2 < bytes.length; i++) {
    if (bytes[i] !== 0 || bytes[i + 1] !== 0 || bytes[i + 2] !== 1) continue;
    if (begin >= 0) nals.push(trimmed(bytes.subarray(begin, i)));
    begin = i + 3;
    i += 2;
  }
  if (begin >= 0) nals.push(trimmed(bytes.subarray(begin)));
  return nals.filter((nal) => nal.length > 0);
}

function trimmed(nal: Buffer): Buffer {
  let end = nal.length;
  while (end > 0 && nal[end - 1] === 0) end--;
  return nal.subarray(0, end);
}

interface FrameLine {
  readonly ptsMs: number;
  readonly durationMs: number;
  readonly bytes: number;
}

/** Reads ffmpeg's framecrc listing: one line per packet with its times and size. */
export function parseFrameList(text: string): FrameLine[] {
  let tick = 0;
  const lines: FrameLine[] = [];
  for (const line of text.split('\n')) {
    const timeBase = /^#tb 0: (\d+)\/(\d+)/.exec(line);
    if (timeBase) tick = (Number(timeBase[1]) / Number(timeBase[2])) * 1000;
    if (line === '' || line.startsWith('#')) continue;
    const [, , pts, duration, bytes] = line.split(',').map((part) => Number(part.trim()));
    lines.push({ ptsMs: pts! * tick, durationMs: duration! * tick, bytes: bytes! });
  }
  return lines;
}

/**
 * Reads the H.264 track of a media file, in decoding order.
 * @throws InvalidInput `reel_not_h264` when the file's first video track is something else or has no keyframe first.
 */
export async function loadVideo(path: string): Promise<VideoReel> {
  const copy = ['-map', '0:v:0', '-c:v', 'copy', '-bsf:v', 'h264_mp4toannexb'];
  const { pipes } = await runFfmpeg({
    args: ['-i', path, ...copy, '-f', 'h264', 'pipe:3', ...copy, '-f', 'framecrc', 'pipe:4'],
    pipes: 2,
    doing: `reading H.264 from ${path}`,
  });
  const [stream, list] = pipes;
  const lines = parseFrameList(list!.toString('latin1'));
  const first = Math.min(...lines.map((line) => line.ptsMs));
  let at = 0;
  const units = lines.map((line) => {
    const nals = splitAnnexB(stream!.subarray(at, at + line.bytes)).filter((nal) => (nal[0]! & 31) !== NAL_AUD);
    at += line.bytes;
    return { tMs: line.ptsMs - first, key: nals.some((nal) => (nal[0]! & 31) === NAL_IDR), nals };
  });
  const find = (type: number) => units[0]?.nals.find((nal) => (nal[0]! & 31) === type);
  const [sps, pps] = [find(NAL_SPS), find(NAL_PPS)];
  if (!units[0]?.key || !sps || !pps)
    throw new InvalidInput('reel_not_h264', `${path} must begin with an H.264 keyframe with its parameter sets`);
  const durationMs = Math.max(...lines.map((line) => line.ptsMs + line.durationMs)) - first;
  return { units, durationMs, sps, pps };
}

const SAMPLE_RATES = [96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350];

/** Splits an ADTS stream into raw AAC frames; undefined when it holds none. */
export function parseAdts(bytes: Buffer): SoundReel | undefined {
  const frames: Buffer[] = [];
  let head: Buffer | undefined;
  for (let at = 0; at + 7 <= bytes.length; ) {
    if (bytes[at] !== 0xff || (bytes[at + 1]! & 0xf0) !== 0xf0)
      throw new InvalidInput('reel_not_adts', `no ADTS header at byte ${at}`);
    const length = ((bytes[at + 3]! & 3) << 11) | (bytes[at + 4]! << 3) | (bytes[at + 5]! >> 5);
    const header = bytes[at + 1]! & 1 ? 7 : 9;
    if (length < header || at + length > bytes.length) break;
    head ??= bytes.subarray(at, at + 7);
    frames.push(bytes.subarray(at + header, at + length));
    at += length;
  }
  if (!head) return undefined;
  const objectType = (head[2]! >> 6) + 1;
  const rateIndex = (head[2]! >> 2) & 15;
  const channels = ((head[2]! & 1) << 2) | (head[3]! >> 6);
  const config = Buffer.alloc(2);
  config.writeUInt16BE((objectType << 11) | (rateIndex << 7) | (channels << 3));
  return { sampleRate: SAMPLE_RATES[rateIndex]!, channels, config, samplesPerFrame: 1024, frames };
}

/** Reads the first sound track of a media file as AAC (16 kHz mono when it must be encoded); undefined without one. */
export async function loadSound(path: string): Promise<SoundReel | undefined> {
  const { stdout } = await runFfmpeg({
    program: 'ffprobe',
    args: ['-select_streams', 'a:0', '-show_entries', 'stream=codec_name', '-of', 'csv=p=0', path],
    doing: `looking for sound in ${path}`,
  });
  const codec = stdout.toString('latin1').trim();
  if (codec === '') return undefined;
  const how = codec === 'aac' ? ['-c:a', 'copy'] : ['-c:a', 'aac', '-b:a', '32k', '-ac', '1', '-ar', '16000'];
  const { pipes } = await runFfmpeg({
    args: ['-i', path, '-map', '0:a:0', ...how, '-f', 'adts', 'pipe:3'],
    pipes: 1,
    doing: `reading sound from ${path}`,
  });
  return parseAdts(pipes[0]!);
}
