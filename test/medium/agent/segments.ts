/** What a camera's recording is made of: two-second files by a real ffmpeg, and what is found in a file that came of them. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Forty seconds with a tone, as `name-000.mp4` and so on. */
export function makeSegments(folder: string, name: string, size: string): void {
  execFileSync('ffmpeg', [
    ...[
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      `testsrc2=size=${size}:rate=25`,
      '-f',
      'lavfi',
      '-i',
      'sine=frequency=440:sample_rate=16000',
    ],
    ...[
      '-t',
      '40',
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-bf',
      '0',
      '-g',
      '50',
      '-keyint_min',
      '50',
      '-sc_threshold',
      '0',
      '-pix_fmt',
      'yuv420p',
    ],
    ...[
      '-c:a',
      'aac',
      '-f',
      'segment',
      '-segment_time',
      '2',
      '-segment_time_delta',
      '0.1',
      '-segment_format',
      'mp4',
      '-reset_timestamps',
      '1',
    ],
    join(folder, `${name}-%03d.mp4`),
  ]);
}

/** Which streams a file has, how many pictures, and how long it is. */
export function probe(path: string) {
  const entries = 'format=duration:stream=codec_type,nb_read_frames';
  const json = execFileSync(
    'ffprobe',
    ['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'json', path],
    { encoding: 'utf8' },
  );
  const { streams, format } = JSON.parse(json) as {
    streams: { codec_type: string; nb_read_frames: string }[];
    format: { duration: string };
  };
  return {
    kinds: streams.map((stream) => stream.codec_type),
    frames: Number(streams[0]?.nb_read_frames),
    seconds: Number(format.duration),
  };
}
