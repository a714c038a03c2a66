/** The parts of the fake camera that are pure: reels, playhead, digest, wire text, SOAP token, SPS. */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../../agent/clock.ts';
import { digestOk } from '../../../../hardware/fake/digest.ts';
import { scrambled } from '../../../../hardware/fake/fault.ts';
import { operationOf, soapFault, soapReply, usernameTokenOk } from '../../../../hardware/fake/onvif-soap.ts';
import { advance, createPlayhead, dueMs, seek } from '../../../../hardware/fake/playhead.ts';
import { parseAdts, parseFrameList, splitAnnexB } from '../../../../hardware/fake/reel.ts';
import { parseRequests, rtspReply } from '../../../../hardware/fake/rtsp-wire.ts';
import { pictureSize } from '../../../../hardware/fake/sps.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const md5 = (text: string) => createHash('md5').update(text).digest('hex');

describe('reels', () => {
  it('splits annex B at start codes of three and four bytes', () => {
    const nals = splitAnnexB(hex('00000001 6742 000001 68ce 00000001 658880'));
    expect(nals.map((nal) => nal.toString('hex'))).toEqual(['6742', '68ce', '658880']);
  });

  it('reads times and sizes of a packet list', () => {
    const text =
      '#tb 0: 1/90000\n#codec_id 0: h264\n0, 0, 9000, 18000, 12, 0x1\n0, 18000, 27000, 18000, 5, 0x2, F=0x0\n';
    expect(parseFrameList(text)).toEqual([
      { ptsMs: 100, durationMs: 200, bytes: 12 },
      { ptsMs: 300, durationMs: 200, bytes: 5 },
    ]);
  });

  it('takes AAC frames and their configuration out of ADTS', () => {
    // AAC-LC (profile 1), 16 kHz (index 8), mono; frame length 9 with a header of 7.
    const frame = hex('fff1 60 40 01 3f fc aabb');
    const reel = parseAdts(Buffer.concat([frame, frame]));
    expect(reel).toMatchObject({ sampleRate: 16_000, channels: 1 });
    expect(reel!.config.toString('hex')).toBe('1408');
    expect(reel!.frames.map((one) => one.toString('hex'))).toEqual(['aabb', 'aabb']);
    expect(() => parseAdts(hex('00112233445566778899'))).toThrow(/no ADTS header/);
  });

  it('reads the picture size out of parameter sets', () => {
    // x264, 1280 × 720, High; and 640 × 360 (cropped from 368), Main.
    expect(pictureSize(hex('6764001facd9405005bb016a02020280000003008000000f07 8c18cb'))).toEqual({
      width: 1280,
      height: 720,
    });
  });
});

describe('the playhead', () => {
  it('goes round and finds its place again', () => {
    const clock = virtualClock({ monoMs: 1000 });
    const head = createPlayhead(clock, 5000, 4000);
    expect(head.positionMs()).toBe(4000);
    expect(head.playedMs()).toBe(4000);
    expect(head.monoOf(4500)).toBe(1500);
  });

  it('moves items from one loop into the next', () => {
    const strip = { timesMs: [0, 200, 400], loopMs: 600 };
    const cursor = seek(strip, 650);
    expect(dueMs(strip, cursor)).toBe(800);
    advance(strip, cursor);
    advance(strip, cursor);
    expect(dueMs(strip, cursor)).toBe(1200);
    expect(seek(strip, 599)).toEqual({ cycle: 1, index: 0 });
  });
});

it('scrambling spares parameter sets and makes no start code', () => {
  const sps = hex('67 42 00 1f');
  expect(scrambled(sps)).toBe(sps);
  const slice = Buffer.alloc(200, 0x55);
  slice[0] = 0x41;
  const damaged = scrambled(slice);
  expect(damaged.equals(slice)).toBe(false);
  expect(damaged.includes(0)).toBe(false);
  expect(damaged).toEqual(scrambled(slice));
});

describe('digest authentication', () => {
  const facts = { method: 'DESCRIBE', nonce: 'abc', user: 'op', password: 'pw' };
  const uri = 'rtsp://h/main?a=1,2';
  const response = md5(`${md5('op:camera:pw')}:abc:${md5(`DESCRIBE:${uri}`)}`);
  const header = `Digest username="op", realm="camera", nonce="abc", uri="${uri}", response="${response}"`;

  it.each([
    ['the right password', {}, true],
    ['another password', { password: 'no' }, false],
    ['an old nonce', { nonce: 'def' }, false],
    ['another method', { method: 'SETUP' }, false],
    ['no header', { header: undefined }, false],
    ['Basic', { header: 'Basic b3A6cHc=' }, false],
  ])('%s', (_name, change, ok) => {
    expect(digestOk({ header, ...facts, ...change })).toBe(ok);
  });
});

describe('RTSP text', () => {
  it('takes requests out of a stream of bytes, between receiver reports, and leaves the rest', () => {
    const one = 'OPTIONS rtsp://h/main RTSP/1.0\r\nCSeq: 1\r\n\r\n';
    const two = 'GET_PARAMETER rtsp://h/main RTSP/1.0\r\ncseq: 2\r\nContent-Length: 3\r\n\r\nabc';
    const bytes = Buffer.concat([Buffer.from(one), hex('24 01 0002 ffff'), Buffer.from(two), Buffer.from('PLAY rt')]);
    const { requests, rest } = parseRequests(bytes);
    expect(requests.map(({ method, headers }) => [method, headers.get('cseq')])).toEqual([
      ['OPTIONS', '1'],
      ['GET_PARAMETER', '2'],
    ]);
    expect(rest.toString()).toBe('PLAY rt');
    expect(rtspReply(requests[0]!, 200, { Session: 'x' }, 'hi')).toBe(
      'RTSP/1.0 200 OK\r\nCSeq: 1\r\nSession: x\r\nContent-Length: 2\r\n\r\nhi',
    );
  });
});

describe('ONVIF SOAP', () => {
  const wallMs = Date.UTC(2026, 0, 2, 3, 4, 5);
  const created = '2026-01-02T03:04:00Z';
  const nonce = Buffer.from('0123456789abcdef');
  const digest = createHash('sha1').update(nonce).update(created).update('pw').digest('base64');
  const request = (password = digest) =>
    `<s:Envelope><s:Header><Security><UsernameToken><Username>op</Username><Password Type="x#PasswordDigest">${password}</Password><Nonce>${nonce.toString('base64')}</Nonce><Created>${created}</Created></UsernameToken></Security></s:Header><s:Body><trt:GetStreamUri><trt:ProfileToken>sub</trt:ProfileToken></trt:GetStreamUri></s:Body></s:Envelope>`;

  it('checks the token against the password and the time', () => {
    expect(usernameTokenOk(request(), 'op', 'pw', wallMs)).toBe(true);
    expect(usernameTokenOk(request(), 'op', 'other', wallMs)).toBe(false);
    expect(usernameTokenOk(request('AAAA'), 'op', 'pw', wallMs)).toBe(false);
    expect(usernameTokenOk(request(), 'op', 'pw', wallMs + 3_600_000)).toBe(false);
    expect(usernameTokenOk('<s:Body/>', 'op', 'pw', wallMs)).toBe(false);
  });

  it('answers the operations that it has', () => {
    const profile = { name: 'sub', width: 640, height: 360, fps: 5, sound: true, streamUrl: 'rtsp://h/sub' };
    const facts = {
      manufacturer: 'a&b',
      model: 'm',
      firmware: 'f',
      serial: 's',
      base: 'http://h:1',
      profiles: [profile],
      wallMs,
    };
    expect(operationOf(request())).toBe('GetStreamUri');
    expect(soapReply('GetStreamUri', request(), facts)).toContain('<tt:Uri>rtsp://h/sub</tt:Uri>');
    expect(soapReply('GetDeviceInformation', '', facts)).toContain('<tds:Manufacturer>a&amp;b<');
    expect(soapReply('GetSystemDateAndTime', '', facts)).toContain('<tt:Hour>3</tt:Hour><tt:Minute>4</tt:Minute>');
    expect(soapReply('Reboot', '', facts)).toBeUndefined();
    expect(soapFault('ter:NotAuthorized', 'no')).toContain('ter:NotAuthorized');
  });
});
