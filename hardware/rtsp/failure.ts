/** Why an ffmpeg session ended, in words for people: ffmpeg tells it only in the text of its stderr. */

export const FAILURES = [
  'refused',
  'unreachable',
  'unauthorized',
  'not_found',
  'no_audio',
  'no_video',
  'audio_not_storable',
  'stopped',
  'hung',
  'clock_jumped',
  'format_changed',
  'disk',
  'device_missing',
  'device_in_use',
  'failed',
] as const;
export type FailureKind = (typeof FAILURES)[number];

export interface Failure {
  readonly kind: FailureKind;
  /** Plain words without credentials. */
  readonly reason: string;
}

/** First match wins: the more telling line stands above the one that only follows from it. */
const SIGNS: readonly (readonly [RegExp, FailureKind, string])[] = [
  [/401 Unauthorized|403 Forbidden/, 'unauthorized', 'wrong user or password: the camera refused them (401)'],
  [/404 Not Found|454 Session|400 Bad Request/, 'not_found', 'the camera has no stream at this address (404)'],
  [/Connection refused/, 'refused', 'connection refused: nothing listens there; is the camera on and the port right?'],
  [
    /No route to host|Network is unreachable|Name or service not known|Temporary failure in name|Failed to resolve/,
    'unreachable',
    'the camera cannot be reached over the network',
  ],
  [
    /Stream map '0:a:0' matches no streams|Output file #1 does not contain any stream/,
    'no_audio',
    'the stream carries no audio track',
  ],
  [/Stream map '0:v:0' matches no streams/, 'no_video', 'the stream carries no picture'],
  [
    /codec not currently supported in container|Could not find tag for codec/,
    'audio_not_storable',
    'the audio format cannot be stored as it is',
  ],
  [/No space left on device/, 'disk', 'the disk is full'],
  [/Device or resource busy/i, 'device_in_use', 'the sound device is in use by another program'],
  [/cannot open audio device|No such device|Cannot open audio/i, 'device_missing', 'the sound device is missing'],
  [/Connection timed out|Operation timed out/, 'hung', 'the camera does not answer'],
  [/Connection reset by peer|End of file|Broken pipe|Input\/output error/, 'stopped', 'the camera ended the stream'],
];

/**
 * Judges an end that nobody asked for. Exit code 0 is one of them: a server that goes away gives just that.
 * `stderr` must be redacted already.
 */
export function failureOf(stderr: string, code: number | null): Failure {
  for (const [sign, kind, reason] of SIGNS) if (sign.test(stderr)) return { kind, reason };
  if (code === 0) return { kind: 'stopped', reason: 'the camera ended the stream' };
  const last = stderr.trim().split('\n').at(-1)?.slice(0, 160) ?? '';
  return { kind: 'failed', reason: `ffmpeg ended with ${code}${last === '' ? '' : `: ${last}`}` };
}
