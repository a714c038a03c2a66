/** SOAP bodies of the fake camera's ONVIF device: the few operations of Profile S that a client needs to find the streams. */
import { createHash } from 'node:crypto';

export interface OnvifProfile {
  /** `main` or `sub`, also its token. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly sound: boolean;
  readonly streamUrl: string;
}

export interface OnvifFacts {
  readonly manufacturer: string;
  readonly model: string;
  readonly firmware: string;
  readonly serial: string;
  /** Base address that the device gives for its services, e.g. `http://10.0.0.5:80`. */
  readonly base: string;
  readonly profiles: readonly OnvifProfile[];
  readonly wallMs: number;
}

const DEVICE = 'http://www.onvif.org/ver10/device/wsdl';
const MEDIA = 'http://www.onvif.org/ver10/media/wsdl';

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');

function envelope(body: string): string {
  const spaces = [
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope"',
    `xmlns:tds="${DEVICE}"`,
    `xmlns:trt="${MEDIA}"`,
    'xmlns:tt="http://www.onvif.org/ver10/schema"',
    'xmlns:ter="http://www.onvif.org/ver10/error"',
  ];
  return `<?xml version="1.0" encoding="UTF-8"?><s:Envelope ${spaces.join(' ')}><s:Body>${body}</s:Body></s:Envelope>`;
}

/** A SOAP 1.2 fault with an ONVIF subcode such as `ter:NotAuthorized`. */
export function soapFault(subcode: string, reason: string): string {
  return envelope(
    `<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>${subcode}</s:Value></s:Subcode></s:Code>` +
      `<s:Reason><s:Text xml:lang="en">${reason}</s:Text></s:Reason></s:Fault>`,
  );
}

/** Local name of the first element in the SOAP body. */
export function operationOf(xml: string): string | undefined {
  return /<(?:\w+:)?Body[^>]*>\s*<(?:\w+:)?(\w+)/.exec(xml)?.[1];
}

/** Text of the first element with this local name. */
export function textOf(xml: string, name: string): string | undefined {
  return new RegExp(`<(?:\\w+:)?${name}(?:\\s[^>]*)?>([^<]*)<`).exec(xml)?.[1]?.trim();
}

/** Seconds that a token's `Created` may differ from the device's clock. */
const TOKEN_LIFE_S = 300;

/** True when the request carries a WS-UsernameToken whose digest proves the password now. */
export function usernameTokenOk(xml: string, user: string, password: string, wallMs: number): boolean {
  const [name, digest, nonce, created] = ['Username', 'Password', 'Nonce', 'Created'].map((part) => textOf(xml, part));
  if (name !== user || !digest || !nonce || !created) return false;
  const ageS = Math.abs(wallMs - Date.parse(created)) / 1000;
  if (!(ageS <= TOKEN_LIFE_S)) return false;
  const expected = createHash('sha1').update(Buffer.from(nonce, 'base64')).update(created).update(password);
  return expected.digest('base64') === digest;
}

/** Operations that ONVIF Core answers before authentication. */
export const OPEN_OPERATIONS: ReadonlySet<string> = new Set(['GetSystemDateAndTime']);

/** The reply to one operation; undefined for one that this device does not have. */
export function soapReply(operation: string, request: string, facts: OnvifFacts): string | undefined {
  const body = bodyOf(operation, request, facts);
  return body === undefined ? undefined : envelope(body);
}

function bodyOf(operation: string, request: string, facts: OnvifFacts): string | undefined {
  const device = `${facts.base}/onvif/device_service`;
  const media = `${facts.base}/onvif/media_service`;
  switch (operation) {
    case 'GetSystemDateAndTime':
      return `<tds:GetSystemDateAndTimeResponse><tds:SystemDateAndTime><tt:DateTimeType>NTP</tt:DateTimeType><tt:DaylightSavings>false</tt:DaylightSavings>${utc(facts.wallMs)}</tds:SystemDateAndTime></tds:GetSystemDateAndTimeResponse>`;
    case 'GetDeviceInformation':
      return `<tds:GetDeviceInformationResponse><tds:Manufacturer>${escaped(facts.manufacturer)}</tds:Manufacturer><tds:Model>${escaped(facts.model)}</tds:Model><tds:FirmwareVersion>${escaped(facts.firmware)}</tds:FirmwareVersion><tds:SerialNumber>${escaped(facts.serial)}</tds:SerialNumber><tds:HardwareId>fake</tds:HardwareId></tds:GetDeviceInformationResponse>`;
    case 'GetServices':
      return `<tds:GetServicesResponse>${service(DEVICE, device)}${service(MEDIA, media)}</tds:GetServicesResponse>`;
    case 'GetCapabilities':
      return `<tds:GetCapabilitiesResponse><tds:Capabilities><tt:Device><tt:XAddr>${device}</tt:XAddr></tt:Device><tt:Media><tt:XAddr>${media}</tt:XAddr><tt:StreamingCapabilities><tt:RTPMulticast>false</tt:RTPMulticast><tt:RTP_TCP>true</tt:RTP_TCP><tt:RTP_RTSP_TCP>true</tt:RTP_RTSP_TCP></tt:StreamingCapabilities></tt:Media></tds:Capabilities></tds:GetCapabilitiesResponse>`;
    case 'GetProfiles':
      return `<trt:GetProfilesResponse>${facts.profiles.map(profile).join('')}</trt:GetProfilesResponse>`;
    case 'GetVideoSources':
      return `<trt:GetVideoSourcesResponse>${videoSource(facts.profiles[0]!)}</trt:GetVideoSourcesResponse>`;
    case 'GetStreamUri': {
      const wanted = facts.profiles.find(({ name }) => name === textOf(request, 'ProfileToken'));
      if (!wanted) return undefined;
      return `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>${escaped(wanted.streamUrl)}</tt:Uri><tt:InvalidAfterConnect>false</tt:InvalidAfterConnect><tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT0S</tt:Timeout></trt:MediaUri></trt:GetStreamUriResponse>`;
    }
    default:
      return undefined;
  }
}

function utc(wallMs: number): string {
  const at = new Date(wallMs);
  return `<tt:UTCDateTime><tt:Time><tt:Hour>${at.getUTCHours()}</tt:Hour><tt:Minute>${at.getUTCMinutes()}</tt:Minute><tt:Second>${at.getUTCSeconds()}</tt:Second></tt:Time><tt:Date><tt:Year>${at.getUTCFullYear()}</tt:Year><tt:Month>${at.getUTCMonth() + 1}</tt:Month><tt:Day>${at.getUTCDate()}</tt:Day></tt:Date></tt:UTCDateTime>`;
}

function service(namespace: string, address: string): string {
  return `<tds:Service><tds:Namespace>${namespace}</tds:Namespace><tds:XAddr>${address}</tds:XAddr><tds:Version><tt:Major>2</tt:Major><tt:Minor>60</tt:Minor></tds:Version></tds:Service>`;
}

function resolution({ width, height }: OnvifProfile): string {
  return `<tt:Resolution><tt:Width>${width}</tt:Width><tt:Height>${height}</tt:Height></tt:Resolution>`;
}

function videoSource(main: OnvifProfile): string {
  return `<trt:VideoSources token="source"><tt:Framerate>${main.fps}</tt:Framerate>${resolution(main)}</trt:VideoSources>`;
}

function profile(one: OnvifProfile): string {
  const source = `<tt:VideoSourceConfiguration token="source"><tt:Name>source</tt:Name><tt:UseCount>2</tt:UseCount><tt:SourceToken>source</tt:SourceToken><tt:Bounds x="0" y="0" width="${one.width}" height="${one.height}"/></tt:VideoSourceConfiguration>`;
  const encoder = `<tt:VideoEncoderConfiguration token="${one.name}"><tt:Name>${one.name}</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>H264</tt:Encoding>${resolution(one)}<tt:RateControl><tt:FrameRateLimit>${one.fps}</tt:FrameRateLimit><tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration>`;
  const audio = `<tt:AudioEncoderConfiguration token="sound"><tt:Name>sound</tt:Name><tt:UseCount>1</tt:UseCount><tt:Encoding>AAC</tt:Encoding><tt:Bitrate>32</tt:Bitrate><tt:SampleRate>16</tt:SampleRate></tt:AudioEncoderConfiguration>`;
  return `<trt:Profiles token="${one.name}" fixed="true"><tt:Name>${one.name}</tt:Name>${source}${encoder}${one.sound ? audio : ''}</trt:Profiles>`;
}
