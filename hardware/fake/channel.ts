/** One stream of the fake camera (main or sub): what is due now becomes RTP packets for every client that plays it. */
import type { Clock } from '../../protocol/time.ts';
import { CLOCK_JUMP_MS, type Fault, scrambled } from './fault.ts';
import { advance, type Cursor, dueMs, type Playhead, type Strip, seek, soundStrip, videoStrip } from './playhead.ts';
import type { AccessUnit, SoundReel, VideoReel } from './reel.ts';
import { interleaved, packetiseAac, packetiseH264, rtpPacket, senderReport } from './rtp.ts';

const VIDEO_CLOCK = 90_000;
const REPORT_EVERY_MS = 2_000;

/** Where one client wants its packets: interleaved channel numbers, undefined for a track it did not set up. */
export interface Listener {
  readonly videoChannel: number | undefined;
  readonly audioChannel: number | undefined;
  write(bytes: Buffer): void;
}

interface TrackOut {
  seq: number;
  packets: number;
  octets: number;
  readonly ssrc: number;
}

interface Joined extends Listener {
  readonly video: TrackOut;
  readonly audio: TrackOut;
  reportedMs: number;
  /** False while the client waits for a keyframe. */
  ready: boolean;
  /** Shown while it waits, as an encoder that was set up anew begins with a keyframe at once; undefined: nothing. */
  hold: AccessUnit | undefined;
}

export interface ChannelParts {
  readonly video: VideoReel;
  readonly sound: SoundReel | undefined;
  readonly playhead: Playhead;
  readonly clock: Clock;
}

export type Channel = ReturnType<typeof createChannel>;

/** A stream without listeners; `other` is the picture shown while the fault `resize` holds. */
export function createChannel({ video, sound, playhead, clock }: ChannelParts, other: () => VideoReel) {
  let reel = video;
  let strip = videoStrip(video, playhead.loopMs);
  const soundTrack: Strip | undefined = sound && soundStrip(sound, playhead.loopMs);
  const rate = sound?.sampleRate ?? 16_000;
  const listeners = new Set<Joined>();
  let fault: Fault | null = null;
  let cursor = seek(strip, playhead.playedMs());
  const soundCursor = soundTrack && seek(soundTrack, playhead.playedMs());
  let lastKey = reel.units[0]!;
  let ssrc = 0x10000000;

  const jumpMs = () => (fault === 'clockJump' ? CLOCK_JUMP_MS : 0);
  const videoTime = (ms: number) => (ms + jumpMs()) * (VIDEO_CLOCK / 1000);
  const audioTime = (ms: number) => (ms + jumpMs()) * (rate / 1000);

  function send(track: TrackOut, channel: number, payloadType: number, timestamp: number, payloads: readonly Buffer[]) {
    return payloads.map((payload, i) => {
      const header = { payloadType, marker: i === payloads.length - 1, seq: track.seq++, timestamp, ssrc: track.ssrc };
      track.packets++;
      track.octets += payload.length;
      return interleaved(channel, rtpPacket(header, payload));
    });
  }

  function sendVideo(to: Joined, index: number, playedMs: number): void {
    if (to.videoChannel === undefined || fault === 'audioOnly' || fault === 'hang') return;
    const due = fault === 'freeze' ? lastKey : reel.units[index]!;
    to.ready ||= due.key;
    const unit = to.ready ? due : to.hold;
    if (!unit) return;
    const nals = fault === 'corrupt' ? unit.nals.map(scrambled) : unit.nals;
    report(to, playedMs);
    to.write(Buffer.concat(send(to.video, to.videoChannel, 96, videoTime(playedMs), packetiseH264(nals))));
  }

  function sendSound(to: Joined, index: number, playedMs: number): void {
    if (to.audioChannel === undefined || !sound || fault === 'videoOnly' || fault === 'hang') return;
    report(to, playedMs);
    const payload = packetiseAac(sound.frames[index]!);
    to.write(Buffer.concat(send(to.audio, to.audioChannel, 97, audioTime(playedMs), [payload])));
  }

  /** Both tracks are reported at the same moment: a player lines them up by it before the first packet. */
  function report(to: Joined, playedMs: number): void {
    if (playedMs - to.reportedMs < REPORT_EVERY_MS) return;
    to.reportedMs = playedMs;
    const wallMs = clock.wallMs() + playhead.monoOf(playedMs) - clock.monoMs() + jumpMs();
    const one = (track: TrackOut, channel: number, timestamp: number) =>
      to.write(interleaved(channel + 1, senderReport({ ...track, wallMs, timestamp })));
    if (to.videoChannel !== undefined) one(to.video, to.videoChannel, videoTime(playedMs));
    if (to.audioChannel !== undefined) one(to.audio, to.audioChannel, audioTime(playedMs));
  }

  /** The pictures that clients have are no ground for the next ones: each goes on with a keyframe. */
  function beginAnew(): void {
    lastKey = reel.units[keyAt(cursor).index]!;
    for (const to of listeners) Object.assign(to, { ready: false, hold: lastKey });
  }

  function keyAt(from: Cursor): Cursor {
    const back = { ...from };
    do {
      if (back.index === 0) {
        back.cycle--;
        back.index = strip.timesMs.length;
      }
      back.index--;
    } while (!reel.units[back.index]!.key);
    return back;
  }

  return {
    /** Played time of the first packet that a client joining now will get. */
    firstMs(join: 'recent' | 'next'): number {
      return join === 'recent' ? dueMs(strip, keyAt(cursor)) : playhead.playedMs();
    },
    /** RTP time and next sequence number of both tracks for RTP-Info. */
    rtpTimes: (playedMs: number) => ({ video: videoTime(playedMs), audio: audioTime(playedMs) }),

    /** Adds a client: with `recent` it gets all from the last keyframe on at once, with `next` it waits for one. Returns its leave. */
    join(listener: Listener, join: 'recent' | 'next'): () => void {
      const out = (): TrackOut => ({ seq: 0, packets: 0, octets: 0, ssrc: ssrc++ });
      const to: Joined = Object.assign(listener, {
        video: out(),
        audio: out(),
        reportedMs: Number.NEGATIVE_INFINITY,
        ready: listener.videoChannel === undefined,
        hold: undefined,
      });
      listeners.add(to);
      if (join === 'recent') {
        const at = keyAt(cursor);
        const from = dueMs(strip, at);
        for (; dueMs(strip, at) < dueMs(strip, cursor); advance(strip, at)) sendVideo(to, at.index, dueMs(strip, at));
        if (soundTrack && soundCursor)
          for (const s = seek(soundTrack, from); dueMs(soundTrack, s) < dueMs(soundTrack, soundCursor); ) {
            sendSound(to, s.index, dueMs(soundTrack, s));
            advance(soundTrack, s);
          }
      }
      return () => listeners.delete(to);
    },

    /** Sends everything that is due by now and returns the played time of the next item. */
    pump(): number {
      const now = playhead.playedMs();
      for (; dueMs(strip, cursor) <= now; advance(strip, cursor)) {
        const unit = reel.units[cursor.index]!;
        if (unit.key && fault !== 'freeze') lastKey = unit;
        for (const to of listeners) sendVideo(to, cursor.index, dueMs(strip, cursor));
      }
      if (!soundTrack || !soundCursor) return dueMs(strip, cursor);
      for (; dueMs(soundTrack, soundCursor) <= now; advance(soundTrack, soundCursor))
        for (const to of listeners) sendSound(to, soundCursor.index, dueMs(soundTrack, soundCursor));
      return Math.min(dueMs(strip, cursor), dueMs(soundTrack, soundCursor));
    },

    setFault(next: Fault | null): void {
      if (fault === 'resize' || next === 'resize') {
        reel = next === 'resize' ? other() : video;
        strip = videoStrip(reel, playhead.loopMs);
        cursor = seek(strip, playhead.playedMs());
        beginAnew();
      }
      if (next === null && (fault === 'audioOnly' || fault === 'freeze')) beginAnew();
      fault = next;
    },
    fault: () => fault,
    video: () => reel,
    sound,
  };
}
