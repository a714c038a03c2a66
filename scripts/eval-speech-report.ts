/** The page of `evalroom eval speech`: the figures, and the sound of every miss and false alarm, in one file. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Unavailable } from '../protocol/errors.ts';
import { wavOf } from '../protocol/wav.ts';

export interface Mistake {
  readonly condition: string;
  readonly kind: 'missed' | 'false';
  readonly file: string;
  readonly phrase: string;
  readonly atS?: number;
  /** What the ear was given, 16 kHz; absent beyond what the page holds. */
  readonly samples?: Int16Array;
}

/** Beyond so many rows, or so many seconds of sound in them, the file would be too large to open; what is left out is said. */
export const MOST = { rows: 500, sounds: 200, seconds: 1200 } as const;

const escaped = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** The samples as a WAV file in a data address. */
const wavAddress = (samples: Int16Array) => `data:audio/wav;base64,${Buffer.from(wavOf(samples)).toString('base64')}`;

const shown = (value: unknown): string =>
  typeof value === 'number' && !Number.isInteger(value) ? value.toFixed(4) : (JSON.stringify(value) ?? '');

/** The page as text. */
export function speechReport(results: readonly object[], mistakes: readonly Mistake[]): string {
  const keys = [...new Set(results.flatMap((result) => Object.keys(result)))];
  const rows = keys.map((key) => {
    const cells = results.map((result) => `<td>${escaped(shown((result as Record<string, unknown>)[key]))}</td>`);
    return `<tr><th>${escaped(key)}</th>${cells.join('')}</tr>`;
  });
  const sounds = mistakes
    .slice(0, MOST.rows)
    .map(
      ({ condition, kind, file, phrase, atS, samples }) =>
        `<tr class="${kind}"><td>${kind}</td><td>${escaped(condition)}</td><td>${escaped(file)}</td>` +
        `<td>${escaped(phrase)}</td><td>${atS === undefined ? '' : atS.toFixed(2)}</td>` +
        `<td>${samples ? `<audio controls preload="none" src="${wavAddress(samples)}"></audio>` : ''}</td></tr>`,
    );
  const left = mistakes.length > MOST.rows ? `<p>${mistakes.length - MOST.rows} more are not shown.</p>` : '';
  const mute = mistakes.slice(0, MOST.rows).filter(({ samples }) => !samples).length;
  const silent = mute > 0 ? `<p>${mute} have no sound here: the page would be too large to open.</p>` : '';
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Ears: misses and false alarms</title>
<style>body{font:14px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;margin:2rem;max-width:80rem}
table{border-collapse:collapse;margin:1rem 0}th,td{border:1px solid #ccc;padding:.2rem .6rem;text-align:left}
.false td:first-child{background:#fde2e2}.missed td:first-child{background:#fdf3d0}</style>
<h1>Ears: ${mistakes.length} misses and false alarms</h1>
<table>${rows.join('\n')}</table>
<table><tr><th>what</th><th>sound</th><th>file</th><th>phrase</th><th>ends at, s</th><th></th></tr>
${sounds.join('\n')}</table>${left}${silent}</html>
`;
}

/** Writes the page. Throws Unavailable `report_unwritten`. */
export function writeSpeechReport(path: string, results: readonly object[], mistakes: readonly Mistake[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, speechReport(results, mistakes));
  } catch (error) {
    throw new Unavailable(
      'report_unwritten',
      `writing the report ${path}: it cannot be written; check the path`,
      error,
    );
  }
}
