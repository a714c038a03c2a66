/** The ask for a larger picture and its answer on the wire: what is meant is read, and nothing else. */
import { describe, expect, it } from 'vitest';
import { answerBytes, askBytes, isAnswer, PICTURE_BYTES, readAnswer, readAsk } from '../../../protocol/picture.ts';
import { parseAck } from '../../../protocol/schema.ts';
import { LIMITS } from '../../../protocol/stream.ts';

const JPEG = Uint8Array.from([0xff, 0xd8, 0xff, 0x0a, 0x7b, 0x0a]);

describe('the ask for a picture', () => {
  it('is read as it was written, and is no ack', () => {
    const bytes = askBytes({ askId: 'a-1', cameraId: 'cam-a' });
    expect(readAsk(bytes)).toEqual({ v: 1, ask: 'picture', askId: 'a-1', cameraId: 'cam-a' });
    expect(parseAck(bytes).ok).toBe(false);
    expect(readAsk(Buffer.from('{"v":1,"streamId":"s","through":3}'))).toBeUndefined();
  });

  it.each([
    '',
    'null',
    '[1]',
    '{"v":2,"ask":"picture","askId":"a","cameraId":"c"}',
    '{"v":1,"ask":"picture","askId":"a/b","cameraId":"c"}',
    `{"v":1,"ask":"picture","askId":"a","cameraId":"c","x":"${'x'.repeat(300)}"}`,
  ])('is not found in %s', (text) => {
    expect(readAsk(Buffer.from(text))).toBeUndefined();
  });
});

describe('the answer', () => {
  it('carries the picture behind one line, or says why there is none', () => {
    const bytes = answerBytes({ askId: 'a-1', ageMs: 1200, jpeg: JPEG });
    expect(isAnswer(bytes)).toBe(true);
    expect(isAnswer(JPEG)).toBe(false);
    const read = readAnswer(bytes)!;
    expect({ ...read, jpeg: [...read.jpeg!] }).toEqual({ askId: 'a-1', ageMs: 1200, jpeg: [...JPEG] });
    expect(readAnswer(answerBytes({ askId: 'a-1', ageMs: 0, refused: 'not_recorded' }))).toEqual({
      askId: 'a-1',
      ageMs: 0,
      refused: 'not_recorded',
    });
  });

  it('holds the largest picture that is allowed within the bound of a snapshot', () => {
    const jpeg = new Uint8Array(PICTURE_BYTES);
    jpeg.set(JPEG);
    const bytes = answerBytes({ askId: 'a'.repeat(64), ageMs: 86_400_000, jpeg });
    expect(bytes.length).toBeLessThanOrEqual(LIMITS.snapshotBytes);
    expect(readAnswer(bytes)?.jpeg).toHaveLength(PICTURE_BYTES);
  });

  it.each([
    ['no line', Buffer.from('{"askId":"a","ageMs":1}')],
    ['no JPEG', Buffer.from('{"askId":"a","ageMs":1}\n<svg onload=alert(1)>')],
    ['another reason', Buffer.from('{"askId":"a","ageMs":1,"refused":"<b>"}\n')],
    ['an age before its time', Buffer.concat([Buffer.from('{"askId":"a","ageMs":-1}\n'), JPEG])],
    ['an age that no picture has', Buffer.concat([Buffer.from('{"askId":"a","ageMs":1e300}\n'), JPEG])],
    [
      'too many bytes',
      Buffer.concat([Buffer.from('{"askId":"a","ageMs":1}\n'), JPEG, Buffer.alloc(LIMITS.snapshotBytes)]),
    ],
  ])('is refused with %s', (_what, bytes) => {
    expect(readAnswer(bytes)).toBeUndefined();
  });
});
