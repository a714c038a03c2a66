/** Asks an ONVIF camera who it is and where its streams are: the step between an address in room.yaml and RTSP. */
import { Cam } from 'onvif';
import { Forbidden, InvalidInput, Unavailable } from '../../protocol/errors.ts';
import type { Clock } from '../../protocol/time.ts';

export interface ResolveParts {
  readonly host: string;
  /** Default 80. */
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
  readonly clock: Clock;
  /** Limit of each question and, times three, of the whole; default 5000. */
  readonly timeoutMs?: number;
}

export interface CameraProfile {
  readonly token: string;
  readonly name: string;
  /** `H264`, `H265`, `JPEG` …, where the camera tells. */
  readonly encoding: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
}

export interface ResolvedCamera {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  /** RTSP address of the largest profile, without credentials. */
  readonly main: string;
  /** RTSP address of the best profile for analysis, where there is a second one. */
  readonly sub?: string;
  /** All with a picture, largest first. */
  readonly profiles: readonly CameraProfile[];
}

type Callback<T> = (error: Error | null, value?: T) => void;

/**
 * Device information, profiles and the stream addresses of main and sub.
 * @throws Forbidden `onvif_password`; Unavailable `onvif_unreachable`, `onvif_timeout`; InvalidInput `onvif_no_device`, `onvif_no_profiles`.
 */
export async function resolveCamera({
  host,
  port = 80,
  user,
  password,
  clock,
  timeoutMs = 5000,
}: ResolveParts): Promise<ResolvedCamera> {
  const where = `${host}:${port}`;
  // The package waits 120 s by default, and uses addresses that a camera behind NAT believes to have.
  const cam = new Cam({
    hostname: host,
    port,
    timeout: timeoutMs,
    preserveAddress: true,
    autoconnect: false,
    ...(user === undefined ? {} : { username: asXmlText(user) }),
    ...(password === undefined ? {} : { password: asLatin1(password) }),
  });
  const stop = new AbortController();
  const late = clock.sleep(timeoutMs * 3, stop.signal).then(() => {
    throw new Unavailable(
      'onvif_timeout',
      `camera ${where} did not answer over ONVIF within ${(timeoutMs * 3) / 1000} s`,
    );
  });
  late.catch(() => {});
  try {
    return await Promise.race([ask(cam, host, where), late]);
  } finally {
    stop.abort();
  }
}

/** The package puts the name into its XML as it is. */
function asXmlText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

/**
 * The package hashes one byte per character; ONVIF wants UTF-8. Text whose characters are those bytes gives the right
 * hash. (Only for WS-UsernameToken: a camera that insists on HTTP digest needs a name and password in ASCII.)
 */
function asLatin1(password: string): string {
  return Buffer.from(password, 'utf8').toString('latin1');
}

async function ask(cam: Cam, host: string, where: string): Promise<ResolvedCamera> {
  // An event that nobody listens to would be thrown by the emitter.
  cam.on('error', () => {});
  await call<unknown>(where, (done) => cam.connect(done));
  // This needs the password: connect() reports none of its failures after the clock was read, and a wrong password
  // shows there as a device without profiles.
  const device = await call<string>(where, (done) =>
    cam.getDeviceInformation((error, _parsed, xml) => done(error, xml)),
  );
  const raw = await call<unknown[]>(where, (done) => cam.getProfiles(done as never));
  const profiles = (Array.isArray(raw) ? raw : [])
    .flatMap((one) => profileOf(one as RawProfile))
    .sort((a, b) => b.width * b.height - a.width * a.height);
  const main = mainOf(profiles);
  if (!main)
    throw new InvalidInput(
      'onvif_no_profiles',
      `camera ${where} offers no profile with a picture; set one up in its own pages`,
    );
  const sub = subOf(profiles.slice(profiles.indexOf(main)));
  const address = async (profile: CameraProfile) => {
    const answer = await call<{ uri?: unknown }>(where, (done) =>
      cam.getStreamUri({ protocol: 'RTSP', stream: 'RTP-Unicast', profileToken: profile.token }, done as never),
    );
    return streamAddress(String(answer?.uri ?? ''), host, ownHost(cam), where);
  };
  const mainUrl = await address(main);
  return {
    manufacturer: textOf(device, 'Manufacturer'),
    model: textOf(device, 'Model'),
    firmware: textOf(device, 'FirmwareVersion'),
    main: mainUrl,
    ...(sub ? { sub: await address(sub) } : {}),
    profiles,
  };
}

/**
 * The profile for evidence: the largest that is a film. Pictures one by one are ten times the bytes, and no clip of them
 * plays in a browser: only where there is nothing else. `profiles` has the largest first.
 */
export function mainOf(profiles: readonly CameraProfile[]): CameraProfile | undefined {
  return profiles.find(({ encoding }) => encoding !== 'JPEG') ?? profiles[0];
}

/** One question as a promise, its failure as one of ours. */
function call<T>(where: string, ask: (done: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    ask((error, value) => (error ? reject(failure(error, where)) : resolve(value as T)));
  });
}

/** The package gives plain errors: what kind it is can be read only from the socket's code or the device's fault text. */
function failure(error: Error & { code?: string }, where: string): Error {
  const text = `${error.message}`.toLowerCase();
  if (/not ?authorized|unauthorized|authentication failed|sender not authorized|failed to authenticate/.test(text))
    return new Forbidden(
      'onvif_password',
      `camera ${where} refuses the user or password; check them in room.yaml`,
      error,
    );
  if (text.includes('timeout'))
    return new Unavailable(
      'onvif_timeout',
      `camera ${where} took the connection and does not answer over ONVIF`,
      error,
    );
  if (error.code !== undefined)
    return new Unavailable(
      'onvif_unreachable',
      `camera ${where} cannot be reached (${error.code}); is it on, and the port right?`,
      error,
    );
  if (text.includes('wrong onvif soap'))
    return new InvalidInput(
      'onvif_no_device',
      `what answers at ${where} is no ONVIF device; is it the camera's HTTP port?`,
      error,
    );
  return new Unavailable('onvif_fault', `camera ${where} answered with a fault over ONVIF`, error);
}

interface RawProfile {
  readonly $?: { readonly token?: unknown };
  readonly name?: unknown;
  readonly videoEncoderConfiguration?: {
    readonly encoding?: unknown;
    readonly resolution?: { readonly width?: unknown; readonly height?: unknown };
    readonly rateControl?: { readonly frameRateLimit?: unknown };
  };
}

function profileOf({ $, name, videoEncoderConfiguration: encoder }: RawProfile): CameraProfile[] {
  const [width, height] = [Number(encoder?.resolution?.width), Number(encoder?.resolution?.height)];
  if ($?.token === undefined || !(width > 0 && height > 0)) return [];
  const fps = Number(encoder?.rateControl?.frameRateLimit) || 0;
  return [
    {
      token: String($.token),
      name: String(name ?? $.token),
      encoding: String(encoder?.encoding ?? ''),
      width,
      height,
      fps,
    },
  ];
}

/** Pixels of the longer side that the models can use; what is larger only costs. A camera may hang on its side. */
const ENOUGH = 640;

/** The smallest profile that is still large enough and not the main one, else the largest of the others. */
export function subOf(profiles: readonly CameraProfile[]): CameraProfile | undefined {
  const [main, ...rest] = profiles;
  const others = rest.filter(({ encoding, width }) => encoding !== 'JPEG' && width < main!.width);
  return others.filter(({ width, height }) => Math.max(width, height) >= ENOUGH).at(-1) ?? others[0];
}

/** The package turns every text that looks like a number into one: firmware 1.10 would become 1.1. */
function textOf(xml: string, name: string): string {
  return new RegExp(`<(?:[\\w-]+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1]?.trim() ?? '';
}

/** The host by which the device calls its own services (`preserveAddress` replaces it in the package's own list). */
function ownHost(cam: Cam): string | undefined {
  const listed = [...(cam.services ?? []).map(({ XAddr }) => XAddr), cam.capabilities?.media?.XAddr];
  for (const address of listed) {
    const url = typeof address === 'string' ? URL.parse(address) : null;
    if (url) return url.hostname;
  }
  return undefined;
}

/**
 * A camera behind NAT gives stream addresses with the address that it believes to have. Where that is the name it also
 * gives for its services, the way by which it was reached is right and this one wrong; a stream on a third host (a
 * recorder in front of cameras) stays as it is.
 */
export function streamAddress(uri: string, reachedAt: string, itsOwn: string | undefined, where: string): string {
  const url = URL.parse(uri);
  if (!url || (url.protocol !== 'rtsp:' && url.protocol !== 'rtsps:'))
    throw new InvalidInput('onvif_stream_address', `camera ${where} gives no RTSP address for its stream`);
  url.username = '';
  url.password = '';
  if (url.hostname !== reachedAt && (itsOwn === undefined || url.hostname === itsOwn)) url.hostname = reachedAt;
  return url.href;
}
