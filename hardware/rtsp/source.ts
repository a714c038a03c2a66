/** Where a stream is and how to keep its credentials out of sight: addresses, redaction, and the list that ffmpeg reads on stdin. */
import { InvalidInput } from '../../protocol/errors.ts';

export interface RtspSource {
  /** Main stream: evidence. May carry `user:password@`. */
  readonly main: string;
  /** Sub-stream: analysis. Without it the main stream is analysed. */
  readonly sub?: string;
  readonly user?: string;
  readonly password?: string;
}

/** A stream's address, split into what may be shown and what may not. */
export interface RtspAddress {
  /** With credentials, percent-encoded: only for ffmpeg's stdin. */
  readonly secretUrl: string;
  /** Without credentials: for logs and reasons. */
  readonly shownUrl: string;
  /** Every form in which a credential could appear in a text. */
  readonly secrets: readonly string[];
}

/** Joins an address with its credentials; those in the address itself count where none are given. @throws InvalidInput `rtsp_url` */
export function rtspAddress(text: string, user?: string, password?: string): RtspAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new InvalidInput('rtsp_url', 'a stream address must look like rtsp://host:554/path', cause);
  }
  if (url.protocol !== 'rtsp:' && url.protocol !== 'rtsps:')
    throw new InvalidInput('rtsp_url', `a stream address must begin with rtsp:// or rtsps://, not ${url.protocol}//`);
  if (url.hostname === '')
    throw new InvalidInput('rtsp_url', 'a stream address must name a host: rtsp://host:554/path');
  if (/['\r\n]/.test(text))
    throw new InvalidInput('rtsp_url', 'a stream address must not contain quotes or line breaks');
  const name = user ?? decoded(url.username);
  const secret = password ?? decoded(url.password);
  url.username = '';
  url.password = '';
  const bare = url.href;
  const inPath = [...bare.matchAll(IN_PATH)].flatMap(([, , value]) => [value!, decoded(value!)]);
  const shownUrl = bare.replace(IN_PATH, '$1***');
  if (name === '' && secret === '') return { secretUrl: bare, shownUrl, secrets: [...new Set(inPath)] };
  const credentials = `${encoded(name)}:${encoded(secret)}`;
  return {
    secretUrl: bare.replace('://', `://${credentials}@`),
    shownUrl,
    secrets: [credentials, secret, encoded(secret), ...new Set(inPath)].filter((one) => one.length > 0),
  };
}

/** Some cameras take the password as a part of the path or the query: rtsp://host/user=admin&password=…&channel=1. */
const IN_PATH = /\b((?:pass(?:word|wd)?|pwd|token|auth|key|secret)=)([^&;/?#\s]+)/gi;

/** A % that begins no encoded letter stands for itself: people type passwords as they are. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** encodeURIComponent leaves a quote as it is; the list on ffmpeg's stdin needs it encoded. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Removes the given secrets, whatever stands before an @ in any address, and what is named a password, from a text. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text.replace(/(\w+:\/\/)[^\s/@]+@/g, '$1').replace(IN_PATH, '$1***');
  // Longest first, so that the rest of a longer secret does not stay.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length))
    if (secret.length > 2) clean = clean.replaceAll(secret, '***');
  return clean;
}

/** How much of a stream ffmpeg may look at before it begins: enough for parameter sets, little enough to start at once. */
const PROBE_BYTES = 131_072;
const PROBE_US = 500_000;

export interface InputFlags {
  /** Socket timeout; ffmpeg 5.1 fires at four times this value, so it is only the net below our own watchdogs. */
  readonly socketTimeoutMs: number;
  readonly onlyAudio?: boolean;
}

/**
 * What goes to ffmpeg's stdin. ffmpeg 5.1 has no option that reads an argument from a file, and an address in its
 * arguments stands in `ps` for everybody to read. Its concat demuxer reads a list from a pipe, with options for each
 * entry: so the address with its password never is an argument and never in a file. Measured beside a plain `-i`:
 * the same frames at the same time.
 */
export function inputList(address: RtspAddress, { socketTimeoutMs, onlyAudio = false }: InputFlags): string {
  const options: Record<string, string | number> = {
    rtsp_transport: 'tcp',
    timeout: socketTimeoutMs * 1000,
    probesize: PROBE_BYTES,
    analyzeduration: PROBE_US,
    fpsprobesize: 0,
    ...(onlyAudio ? { allowed_media_types: 'audio' } : {}),
  };
  const rows = Object.entries(options).map(([name, value]) => `option ${name} ${value}`);
  return ['ffconcat version 1.0', `file '${address.secretUrl}'`, ...rows, ''].join('\n');
}

/** Arguments that make ffmpeg read that list. `nobuffer` is not among them: it throws away the first keyframe. */
export const LIST_INPUT: readonly string[] = [
  ...['-f', 'concat', '-safe', '0', '-protocol_whitelist', 'pipe,fd,tcp,udp,tls,rtp,rtsp,rtsps'],
  ...['-probesize', String(PROBE_BYTES), '-analyzeduration', String(PROBE_US), '-i', 'pipe:0'],
];
