/** Beside config.ts: the shape of room.yaml as people write it, and how its faults are put into words. */
import { z } from 'zod';
import { ENGINES } from '../models/speech/ears.ts';
import { crossesItself } from '../protocol/layout.ts';

const id = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'letters, digits, - and _, at most 64');
/** Seats may be written 1 or "1". */
const seatId = z.union([z.string().min(1).max(64), z.int().transform(String)]);
const word = z.string().min(1).max(200);
const fraction = z
  .number()
  .min(0, 'outside the picture: fractions go from 0 to 1')
  .max(1, 'outside the picture: fractions go from 0 to 1');
const point = z.tuple([fraction, fraction]);
const metres = z.tuple([z.number().min(-1000).max(1000), z.number().min(-1000).max(1000)]);
const polygon = z
  .array(point)
  .min(3, 'a polygon needs at least three points')
  .max(64)
  .refine((points) => !crossesItself(points), 'the polygon crosses itself: list its corners in order around the area');
/** host or host:port of an ONVIF device. */
export const HOST = /^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9._-]+)(?::([1-9]\d{0,4}))?$/;
const rtsp = word.superRefine((url, context) => complain(context, rtspProblem(url)));
const LANGUAGES = ['zh-CN', 'en'];
const secret = {
  user: z.exactOptional(word),
  passwordFile: z.exactOptional(word),
  passwordEnv: z.exactOptional(word),
};

/** Days for which words wait at most. */
const wordDays = z.exactOptional(z.int().min(1).max(36_500));

/** room.yaml after defaults; references between its parts are checked in config.ts. */
export const roomFile = z.strictObject({
  room: z.strictObject({
    id,
    name: word,
    centre: word,
    timeZone: word.refine(isTimeZone, 'not a time zone: write an IANA name such as Asia/Shanghai'),
  }),
  cloud: z.strictObject({
    mqtt: word.superRefine((url, context) => complain(context, urlProblem(url, 'mqtt:', 'mqtts:'))),
    upload: word.superRefine((url, context) => complain(context, urlProblem(url, 'http:', 'https:'))),
    ca: z.exactOptional(word),
    uploadKbps: z.exactOptional(z.number().min(16)),
    rulesKey: z.exactOptional(word),
  }),
  identity: z
    .strictObject({ deviceId: id, secretFile: z.exactOptional(word), certificate: z.exactOptional(word) })
    .superRefine(({ secretFile, certificate }, context) => {
      if ((secretFile === undefined) === (certificate === undefined))
        complain(context, 'give either certificate (the folder that evalroom enroll fills) or secretFile');
    }),
  data: word,
  models: z.exactOptional(word),
  script: z.exactOptional(word),
  rulePack: word.default('default'),
  blurHeads: z.boolean().default(false),
  languages: z.array(word).default(LANGUAGES),
  engines: z.record(word, z.array(z.enum(ENGINES)).min(1).max(2)).default({}),
  bidders: z.array(z.array(word).min(1, 'a bidder needs a name').max(10)).max(50).default([]),
  cameras: z
    .array(
      z
        .strictObject({
          id,
          onvif: z.exactOptional(word.regex(HOST, 'not host or host:port')),
          main: z.exactOptional(rtsp),
          sub: z.exactOptional(rtsp),
          ...secret,
          analyseFps: z.number().min(0.1).max(30).default(2),
          audio: z.boolean().default(false),
        })
        .superRefine((camera, context) => {
          if ((camera.onvif === undefined) === (camera.main === undefined))
            complain(context, 'give either onvif (a host) or main (a stream)');
          if (camera.sub !== undefined && camera.main === undefined)
            complain(context, 'sub goes with main, not with onvif');
          complain(context, secretProblem(camera));
        }),
    )
    .min(1, 'a room needs at least one camera')
    .max(32),
  microphones: z
    .array(
      z
        .strictObject({
          id,
          rtsp: z.exactOptional(rtsp),
          alsa: z.exactOptional(word),
          seat: z.exactOptional(seatId),
          ...secret,
        })
        .superRefine((microphone, context) => {
          if ((microphone.rtsp === undefined) === (microphone.alsa === undefined))
            complain(context, 'give either rtsp or alsa');
          complain(context, secretProblem(microphone));
        }),
    )
    .default([]),
  seats: z
    .array(
      z.strictObject({
        id: seatId,
        name: word,
        floor: z.exactOptional(metres),
        views: z
          .array(z.strictObject({ camera: id, zone: polygon, desk: z.exactOptional(polygon) }))
          .min(1, 'no camera sees this seat'),
      }),
    )
    .max(64),
  zones: z
    .array(z.strictObject({ id: word, kind: z.enum(['door', 'window', 'other']), camera: id, polygon }))
    .default([]),
  doorLines: z.array(z.strictObject({ camera: id, line: z.tuple([point, point]), inside: point })).default([]),
  floor: z
    .array(
      z.strictObject({
        camera: id,
        points: z.array(z.strictObject({ image: point, floor: metres })).min(4, 'a calibration needs four points'),
      }),
    )
    .default([]),
  roster: z.array(z.strictObject({ seat: seatId, expert: word, name: z.exactOptional(word) })).default([]),
  storage: z.prefault(
    z.strictObject({
      segmentMinutes: z.number().min(2).default(120),
      segmentMiB: z.number().min(64).default(20_480),
      clipMiB: z.number().min(16).default(5120),
      events: z.int().min(1000).max(10_000_000).default(500_000),
      keepFreeMiB: z.number().min(16).default(512),
      words: z.exactOptional(
        z
          .strictObject({
            days: wordDays,
            prohibited: wordDays,
            suggestive: wordDays,
            tendentious: wordDays,
            irrelevant: wordDays,
            fee: wordDays,
          })
          .refine((words) => Object.keys(words).length > 0, 'give days for all classes, or days for one of them'),
      ),
    }),
    {},
  ),
});
export type RoomFile = z.output<typeof roomFile>;

/** Says what is wrong at a place of the file. */
export type Report = (at: readonly PropertyKey[], reason: string) => void;

function secretProblem(part: { user?: string; passwordFile?: string; passwordEnv?: string }): string | undefined {
  const { user, passwordFile, passwordEnv } = part;
  if (passwordFile !== undefined && passwordEnv !== undefined) return 'give passwordFile or passwordEnv, not both';
  if ((passwordFile ?? passwordEnv) !== undefined && user === undefined) return 'a password without a user: add user';
  return undefined;
}

function rtspProblem(url: string): string | undefined {
  const parsed = URL.parse(url);
  if (!parsed || (parsed.protocol !== 'rtsp:' && parsed.protocol !== 'rtsps:') || parsed.hostname === '')
    return 'not an RTSP address: rtsp://host[:port]/path';
  if (parsed.username !== '' || parsed.password !== '')
    return 'credentials do not belong into this file: take them out of the address, give user and passwordFile';
  return undefined;
}

function urlProblem(url: string, plain: string, secure: string): string | undefined {
  const parsed = URL.parse(url);
  const [plainName, secureName] = [`${plain}//`, `${secure}//`];
  if (!parsed || (parsed.protocol !== plain && parsed.protocol !== secure) || parsed.hostname === '')
    return `not an address: ${plainName} (this machine only) or ${secureName} with host and port`;
  if (parsed.username !== '' || parsed.password !== '')
    return 'credentials do not belong into this file: identity names the device, secretFile holds its secret';
  if (parsed.protocol === plain && beyondThisMachine(url))
    return `${plainName} would send events and the device's secret in clear over the network: use ${secureName}`;
  return undefined;
}

/** A part of raw YAML as a list of keyed things; whatever is not one is passed over, since zod has reported it. */
function listed(content: unknown, key: string): Record<string, unknown>[] {
  const list = (content as Record<string, unknown> | null)?.[key];
  return Array.isArray(list) ? list.map((item) => (typeof item === 'object' && item !== null ? item : {})) : [];
}

/** True when an address leaves this machine. */
export function beyondThisMachine(url: string): boolean {
  return !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(URL.parse(url)?.hostname ?? '');
}

/** Ids given twice, and names of cameras, seats and languages that nothing has. Works on raw YAML. */
export function checkReferences(content: unknown, report: Report): void {
  const idsOf = (keys: readonly string[]): string[] => {
    const known: string[] = [];
    for (const key of keys)
      for (const [index, { id }] of listed(content, key).entries()) {
        if (id === undefined) continue;
        if (known.includes(String(id))) report([key, index, 'id'], `the id "${id}" is given twice`);
        known.push(String(id));
      }
    return known;
  };
  const sources = idsOf(['cameras', 'microphones']);
  const cameras = sources.slice(0, listed(content, 'cameras').filter(({ id }) => id !== undefined).length);
  const seats = idsOf(['seats']);
  idsOf(['zones']);
  const expect = (known: readonly string[], what: string, at: readonly PropertyKey[], id: unknown) => {
    if (id !== undefined && !known.includes(String(id)))
      report(at, `no ${what} has the id "${id}"${suggestion(String(id), known)}`);
  };
  for (const [index, seat] of listed(content, 'seats').entries())
    for (const [view, { camera }] of listed(seat, 'views').entries())
      expect(cameras, 'camera', ['seats', index, 'views', view, 'camera'], camera);
  for (const key of ['zones', 'doorLines', 'floor'])
    for (const [index, { camera }] of listed(content, key).entries())
      expect(cameras, 'camera', [key, index, 'camera'], camera);
  for (const key of ['roster', 'microphones'])
    for (const [index, { seat }] of listed(content, key).entries()) expect(seats, 'seat', [key, index, 'seat'], seat);
  checkLanguages(content, report);
}

/** Each language once, and engines for those only: an engine of a language that nobody listens for would never be asked. */
function checkLanguages(content: unknown, report: Report): void {
  const { languages: written, engines } = (content ?? {}) as { languages?: unknown; engines?: unknown };
  const languages: unknown[] = Array.isArray(written) ? written : LANGUAGES;
  for (const [index, language] of languages.entries())
    if (languages.indexOf(language) < index) report(['languages', index], `the language "${language}" is given twice`);
  if (typeof engines !== 'object' || engines === null || Array.isArray(engines)) return;
  for (const language of Object.keys(engines))
    if (!languages.includes(language))
      report(
        ['engines', language],
        `"${language}" is none of the room's languages (${languages.join(', ') || 'it has none'}): write it as there`,
      );
}

/** Where raw YAML names secrets: the device's own, and those of cameras and microphones. */
export function secretPlaces(content: unknown): {
  readonly at: readonly PropertyKey[];
  readonly passwordFile?: { readonly key: string; readonly name: string };
  readonly passwordEnv?: string;
}[] {
  const places: ReturnType<typeof secretPlaces> = [];
  const identity = (content as { identity?: { secretFile?: unknown } } | null)?.identity;
  if (typeof identity?.secretFile === 'string')
    places.push({ at: ['identity'], passwordFile: { key: 'secretFile', name: identity.secretFile } });
  for (const key of ['cameras', 'microphones'])
    for (const [index, { passwordFile, passwordEnv }] of listed(content, key).entries()) {
      const at = [key, index];
      if (typeof passwordFile === 'string')
        places.push({ at, passwordFile: { key: 'passwordFile', name: passwordFile } });
      else if (typeof passwordEnv === 'string') places.push({ at, passwordEnv });
    }
  return places;
}

function complain(context: z.core.$RefinementCtx, reason: string | undefined): void {
  if (reason !== undefined) context.addIssue({ code: 'custom', message: reason });
}

/** Words for one of zod's findings. */
export function reportIssue(issue: z.core.$ZodIssue, report: Report): void {
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) {
      const close = suggestion(key, knownKeys(issue.path));
      report([...issue.path, key], `unknown key "${key}"${close}`);
    }
  } else if (issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message))
    report(issue.path, 'is missing');
  else report(issue.path, issue.message);
}

/** Keys that the schema has at a path, for suggestions. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = roomFile;
  for (const part of [...path, undefined]) {
    for (;;) {
      const inner = (schema as { _zod?: { def?: { innerType?: unknown } } } | undefined)?._zod?.def?.innerType;
      if (!inner) break;
      schema = inner;
    }
    if (part === undefined) break;
    schema = typeof part === 'number' ? (schema as z.ZodArray).element : (schema as z.ZodObject).shape?.[String(part)];
  }
  return Object.keys((schema as z.ZodObject | undefined)?.shape ?? {});
}

/** `: did you mean …` or the known words; empty when there are none. */
export function suggestion(word: string, known: readonly string[]): string {
  const best = known
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance)[0];
  if (best && best.distance <= Math.max(2, word.length / 3)) return `: did you mean "${best.candidate}"?`;
  return known.length > 0 ? `: known here are ${known.join(', ')}` : '';
}

/** Levenshtein. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
