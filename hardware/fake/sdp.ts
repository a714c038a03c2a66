/** What the fake camera says of a stream before it plays (SDP, RFC 4566, with the parameters of RFC 6184 and RFC 3640). */
import type { SoundReel, VideoReel } from './reel.ts';

/** SDP text of one stream: H.264 as `video`, AAC as `audio` where there is sound. */
export function describe(stream: { video(): VideoReel; readonly sound: SoundReel | undefined }): string {
  const { sps, pps } = stream.video();
  const sets = `${sps.toString('base64')},${pps.toString('base64')}`;
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 0.0.0.0',
    's=camera',
    'c=IN IP4 0.0.0.0',
    't=0 0',
    'a=control:*',
    'a=range:npt=now-',
    'm=video 0 RTP/AVP 96',
    'a=rtpmap:96 H264/90000',
    `a=fmtp:96 packetization-mode=1;profile-level-id=${sps.toString('hex', 1, 4)};sprop-parameter-sets=${sets}`,
    'a=control:video',
  ];
  if (stream.sound) {
    const { sampleRate, channels, config } = stream.sound;
    const mode = 'streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3';
    lines.push(
      'm=audio 0 RTP/AVP 97',
      `a=rtpmap:97 MPEG4-GENERIC/${sampleRate}/${channels}`,
      `a=fmtp:97 ${mode};config=${config.toString('hex')}`,
      'a=control:audio',
    );
  }
  return `${lines.join('\r\n')}\r\n`;
}
