import { describe, expect, it } from 'vitest';
import { parseMatch } from '../../../../hardware/onvif/discover.ts';
import { type CameraProfile, mainOf, streamAddress, subOf } from '../../../../hardware/onvif/resolve.ts';

describe('an answer to a probe', () => {
  const answer = (addresses: string, scopes = '') =>
    `<s:Envelope><s:Body><d:ProbeMatches><d:ProbeMatch><wsa:EndpointReference><wsa:Address>urn:uuid:1</wsa:Address></wsa:EndpointReference><d:Scopes>${scopes}</d:Scopes><d:XAddrs>${addresses}</d:XAddrs></d:ProbeMatch></d:ProbeMatches></s:Body></s:Envelope>`;

  it('gives the address that can be reached and the name', () => {
    const xml = answer(
      'http://169.254.1.2/onvif/device_service http://10.0.0.5:8080/onvif/device_service',
      'onvif://www.onvif.org/name/Front%20door onvif://www.onvif.org/hardware/X-100',
    );
    expect(parseMatch(xml, '10.0.0.5')).toMatchObject({
      urn: 'urn:uuid:1',
      host: '10.0.0.5',
      port: 8080,
      name: 'Front door',
      hardware: 'X-100',
    });
  });

  it.each(['', '<html/>', answer(''), answer('ftp://10.0.0.5/x')])('is nothing where it is none: %j', (xml) => {
    expect(parseMatch(xml, '10.0.0.5')).toBeUndefined();
  });
});

describe('the stream address of a camera', () => {
  it.each([
    ['rtsp://10.0.0.5:554/a', '10.0.0.5', '10.0.0.5', 'rtsp://10.0.0.5:554/a'],
    ['rtsp://192.168.1.9:554/a?b=1', '10.0.0.5', '192.168.1.9', 'rtsp://10.0.0.5:554/a?b=1'],
    ['rtsp://192.168.1.9:554/a', '10.0.0.5', undefined, 'rtsp://10.0.0.5:554/a'],
    ['rtsp://10.0.0.77/cam3', '10.0.0.5', '10.0.0.5', 'rtsp://10.0.0.77/cam3'],
    ['rtsp://u:p@10.0.0.5/a', '10.0.0.5', '10.0.0.5', 'rtsp://10.0.0.5/a'],
  ])('%s reached at %s, own name %s', (uri, reached, own, expected) => {
    expect(streamAddress(uri, reached, own, 'x')).toBe(expected);
  });

  it('must be RTSP', () => {
    expect(() => streamAddress('', 'h', 'h', 'x')).toThrow(expect.objectContaining({ kind: 'InvalidInput' }));
  });
});

describe('the profile for analysis', () => {
  const profile = (width: number, encoding = 'H264'): CameraProfile => ({
    token: `${width}`,
    name: '',
    encoding,
    width,
    height: width / 2,
    fps: 25,
  });
  it.each([
    [[profile(1920)], undefined],
    [[profile(1920), profile(640)], 640],
    [[profile(1920), profile(1280), profile(704), profile(352)], 704],
    [[profile(1920), profile(352)], 352],
    [[profile(1920), profile(640, 'JPEG')], undefined],
    [[profile(640), profile(640)], undefined],
  ])('of %j', (profiles, width) => {
    expect(subOf(profiles)?.width).toBe(width);
  });

  it('is large enough where its longer side is, as of a camera that hangs on its side', () => {
    const upright = (width: number, height: number) => ({ ...profile(width), height });
    const profiles = [upright(1080, 1920), upright(720, 1280), upright(360, 640)];
    expect(subOf(profiles)?.width).toBe(360);
  });

  it('never takes single pictures for evidence where there is a film', () => {
    expect(mainOf([profile(3840, 'JPEG'), profile(1920), profile(640)])?.width).toBe(1920);
    expect(mainOf([profile(1920, 'JPEG')])?.width).toBe(1920);
    expect(mainOf([])).toBeUndefined();
  });
});
