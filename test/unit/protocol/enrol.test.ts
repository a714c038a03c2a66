/** One-time codes: what is written is read, however it is typed, and nothing else is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCode, parseCode, parseEnrolAnswer } from '../../../protocol/enrol.ts';

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('one-time codes', () => {
  it('carry their secret and the pin, in any case and spacing', () => {
    fc.assert(
      fc.property(bytes(10), bytes(32), (secret, authority) => {
        const code = formatCode(secret, hex(authority));
        expect(code).toMatch(/^(?:[0-9A-HJKMNP-TV-Z]{6}-){6}[0-9A-HJKMNP-TV-Z]{6}$/);
        const typed = code.toLowerCase().replaceAll('-', ' ').replaceAll('0', 'o').replaceAll('1', 'l');
        for (const text of [code, typed, ` ${code.replaceAll('-', '')}\n`])
          expect(parseCode(text)).toEqual({ code, caFingerprint: hex(authority).slice(0, 32) });
      }),
    );
  });

  it('differ when the secret or the authority does', () => {
    fc.assert(
      fc.property(bytes(10), bytes(10), (one, two) => {
        fc.pre(hex(one) !== hex(two));
        expect(formatCode(one, 'ab'.repeat(32))).not.toBe(formatCode(two, 'ab'.repeat(32)));
      }),
    );
    expect(formatCode(new Uint8Array(10), 'ab'.repeat(32))).not.toBe(formatCode(new Uint8Array(10), 'ac'.repeat(32)));
  });

  it('are refused when anything is missing, more or another letter', () => {
    const code = formatCode(
      Uint8Array.from({ length: 10 }, (_, n) => n * 25),
      'c3'.repeat(32),
    );
    for (const wrong of [
      '',
      code.slice(1),
      `${code}0`,
      code.replace(/.$/, 'U'),
      code.replace(/^./, '*'),
      'x'.repeat(1e6),
    ])
      expect(parseCode(wrong)).toBeUndefined();
    // The last letter has two bits that no byte fills.
    expect(parseCode(`${code.slice(0, -1)}Z`)).toBeUndefined();
    fc.assert(fc.property(fc.string(), (text) => void parseCode(text)));
  });

  it('an answer that lacks something is none', () => {
    const whole = { deviceId: 'd', roomId: 'r', certificate: 'c', ca: 'a' };
    expect(parseEnrolAnswer({ ...whole, mqtt: 'mqtts://x', more: 1 })).toEqual({ ...whole, mqtt: 'mqtts://x' });
    for (const key of Object.keys(whole)) expect(parseEnrolAnswer({ ...whole, [key]: 7 })).toBeUndefined();
    for (const value of [undefined, null, 'x', []]) expect(parseEnrolAnswer(value)).toBeUndefined();
  });
});
