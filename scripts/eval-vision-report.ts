/** The page of `eval vision`: a timeline of truth over prediction for each room, with the frames of every miss and false alarm. */
import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Variant } from './eval-vision-augment.ts';
import type { Said } from './eval-vision-occupancy.ts';
import { secondIn } from './eval-vision-parts.ts';
import type { pool, RoomScore, Span } from './eval-vision-score.ts';
import { seatIdsOf, secondsOf, type TruthRoom } from './eval-vision-truth.ts';

export interface ReportedRoom {
  readonly room: TruthRoom;
  readonly variant: Variant;
  readonly score: RoomScore;
  readonly said: readonly Said[];
}

interface Report {
  readonly rooms: readonly ReportedRoom[];
  readonly figures: ReturnType<typeof pool>;
  readonly rules: string;
}

/** More pictures make no page clearer; the rest is named in words. */
const MAX_PICTURES = 120;
const WIDTH = 320;
const COLOURS: Readonly<Record<Span['verdict'], string>> = {
  found: '#2e7d32',
  right: '#2e7d32',
  missed: '#c62828',
  false: '#e65100',
  short: '#9e9e9e',
  unscored: '#9e9e9e',
};

/** Writes one file that needs nothing else: pictures are inside. */
export async function writeReport(path: string, report: Report): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  let left = MAX_PICTURES;
  const sections: string[] = [];
  for (const one of report.rooms) {
    const bad = one.score.spans.filter((s) => s.verdict === 'missed' || s.verdict === 'false');
    const shots: string[] = [];
    for (const span of bad) {
      const times = [span.startS, (span.startS + span.endS) / 2];
      const pictures: string[] = [];
      for (const t of times)
        for (const { cameraId, file, shown = one.variant } of one.room.cameras) {
          if (left-- <= 0) continue;
          const jpeg = await still(file, shown, t);
          if (jpeg)
            pictures.push(
              `<figure><img alt="" src="data:image/jpeg;base64,${jpeg.toString('base64')}"><figcaption>${esc(cameraId)} ${t.toFixed(1)} s</figcaption></figure>`,
            );
        }
      shots.push(
        `<div class="bad"><b style="color:${COLOURS[span.verdict]}">${span.verdict}</b> ${esc(words(span))}<div class="row">${pictures.join('')}</div></div>`,
      );
    }
    sections.push(`<section><h2>${esc(one.score.name)}</h2>${timeline(one)}${shots.join('')}</section>`);
  }
  await writeFile(path, page(report, sections.join('\n')));
}

const esc = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] ?? c);
const words = ({ name, seats, startS, endS }: Span) =>
  `${name}, seat ${seats.join(' and ') || '–'}, ${startS.toFixed(1)}–${endS.toFixed(1)} s`;

function page({ figures, rules }: Report, body: string): string {
  const rows = Object.entries(figures.behaviours).map(
    ([name, b]) =>
      `<tr><td>${esc(name)}<td>${b.episodes}<td>${b.found}<td>${b.false}<td>${b.recall ?? '–'}<td>${b.precision ?? '–'}<td>${b.startErrorMedianS ?? '–'}<td>${b.startErrorP95S ?? '–'}<td>${b.timeToAlertMedianS ?? '–'}`,
  );
  return `<!doctype html><meta charset="utf-8"><title>eval vision</title>
<style>body{font:14px/1.4 system-ui,sans-serif;margin:24px;max-width:1200px}table{border-collapse:collapse}td,th{padding:3px 10px;border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}svg{width:100%;background:#fafafa;border:1px solid #eee}.row{display:flex;flex-wrap:wrap;gap:8px}figure{margin:4px 0}figcaption{font-size:12px;color:#555}.bad{margin:10px 0}img{width:${WIDTH}px}</style>
<h1>eval vision</h1>
<p>Rule pack ${esc(rules)}, model set ${esc(figures.modelSet)}, ${figures.roomHours} room-hours, ${figures.cpuMsPerFrame ?? '–'} ms of CPU per frame.
Occupancy right ${figures.occupancyAccuracy ?? '–'}, unknown ${figures.unknownShare ?? '–'}, fault frames right ${figures.faultFramesRight ?? '–'}.
False alarms per room-hour ${figures.falseAlarmsPerRoomHour ?? '–'}, false notices ${figures.falseNoticesPerRoomHour ?? '–'}.</p>
<table><tr><th>behaviour<th>episodes<th>found<th>false<th>recall<th>precision<th>start error median s<th>P95 s<th>time to alert median s</tr>${rows.join('')}</table>
<p>Each timeline: truth above (green found, red missed, grey below its threshold or unscored), prediction below (green right, orange false); then one line for each seat: green occupied, white empty, grey unknown.</p>
${body}`;
}

const ROW = 14;
const LEFT = 130;
const RIGHT = 1000;

/** Truth and prediction of each behaviour, then what was said of each seat. */
function timeline({ room, score, said }: ReportedRoom): string {
  const duration = secondsOf(room);
  const x = (s: number) => LEFT + ((RIGHT - LEFT) * Math.max(0, Math.min(duration, s))) / duration;
  const names = [...new Set(score.spans.map((s) => s.name))];
  const parts: string[] = [];
  let y = 4;
  const label = (text: string, at: number) =>
    parts.push(`<text x="4" y="${at + 11}" font-size="11">${esc(text)}</text>`);
  for (const name of names) {
    label(name, y + ROW / 2);
    for (const span of score.spans.filter((s) => s.name === name)) {
      const top = span.of === 'truth' ? y : y + ROW;
      parts.push(
        `<rect x="${x(span.startS).toFixed(1)}" y="${top}" width="${Math.max(2, x(span.endS) - x(span.startS)).toFixed(1)}" height="${ROW - 3}" fill="${COLOURS[span.verdict]}"><title>${esc(`${span.of}: ${words(span)} ${span.verdict}`)}</title></rect>`,
      );
    }
    y += 2 * ROW + 4;
  }
  for (const seatId of seatIdsOf(room)) {
    label(`seat ${seatId}`, y);
    for (const run of runsOf(said, seatId))
      parts.push(
        `<rect x="${x(run.from).toFixed(1)}" y="${y}" width="${(x(run.to) - x(run.from)).toFixed(1)}" height="${ROW - 3}" fill="${run.is === 'yes' ? '#a5d6a7' : run.is === 'no' ? '#fff' : '#bdbdbd'}" stroke="#eee"/>`,
      );
    y += ROW;
  }
  return `<svg viewBox="0 0 ${RIGHT + 10} ${y + 4}" role="img">${parts.join('')}</svg>`;
}

function runsOf(said: readonly Said[], seatId: string) {
  const runs: { from: number; to: number; is: string }[] = [];
  for (const { t, seats } of said) {
    const is = seats[seatId] ?? 'unknown';
    const last = runs.at(-1);
    if (last) last.to = t;
    if (!last || last.is !== is) runs.push({ from: t, to: t, is });
  }
  return runs;
}

/** One frame as JPEG; undefined where there is none, for a page with a picture less is better than no page. */
async function still(video: string, { filters, parts }: Variant, seconds: number): Promise<Buffer | undefined> {
  const geometric = filters.filter((f) => !f.includes('fps=') && !f.includes('trim='));
  const child = spawn(
    'ffmpeg',
    [
      ...['-v', 'error', '-ss', String(secondIn(parts, Math.max(0, seconds))), '-i', video, '-frames:v', '1'],
      ...['-vf', [...geometric, `scale=${WIDTH}:-2`].join(','), '-q:v', '6', '-f', 'mjpeg', 'pipe:1'],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve());
    child.once('close', () => resolve());
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await ended;
  return chunks.length > 0 ? Buffer.concat(chunks) : undefined;
}
