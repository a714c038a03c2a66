/** The pure parts of the storm: its schedule, the packets of its bad line, and its judge. */
import { describe, expect, it } from 'vitest';
import type { StoredEvent } from '../../../cloud/http/api.ts';
import { replyReader } from '../../../scripts/storm/commit-trap.ts';
import { createDice } from '../../../scripts/storm/dice.ts';
import { judge } from '../../../scripts/storm/oracle.ts';
import { PUBACK, PUBLISH, packetReader, puback, withId } from '../../../scripts/storm/packets.ts';
import { planStorm } from '../../../scripts/storm/plan.ts';
import { episodeDraft, gapDraft, ticketOf } from '../../../scripts/storm/tickets.ts';

describe('the schedule', () => {
  const targets = ['writer-0', 'cloud-0', 'broker'] as const;

  it('is the same for the same seed, another one for another, and has all the kills', () => {
    const plan = planStorm(7, 200, targets);
    expect(planStorm(7, 200, targets)).toEqual(plan);
    expect(planStorm(8, 200, targets)).not.toEqual(plan);
    expect(plan.filter(({ fault }) => fault.kind === 'kill')).toHaveLength(200);
    expect(new Set(plan.map(({ fault }) => fault.kind))).toEqual(
      new Set(['kill', 'freeze', 'cut', 'stall', 'rough', 'unplug', 'reload']),
    );
    const stalls = plan.flatMap(({ fault }) => (fault.kind === 'stall' ? [fault.forMs] : []));
    expect(Math.max(...stalls)).toBeLessThanOrEqual(10_000);
  });

  it('kills workers at their commit too, where they are processes of their own', () => {
    const kills = planStorm(7, 200, ['writer-0', 'ingest-0', 'ingest-1', 'web-0', 'database'])
      .map(({ fault }) => fault)
      .filter((fault) => fault.kind === 'kill');
    const workers = kills.filter(({ target }) => target.startsWith('ingest-'));
    const atCommit = kills.filter(({ at }) => at === 'commit');
    expect(atCommit.length).toBeGreaterThan(workers.length / 2);
    expect(atCommit.every(({ target }) => target.startsWith('ingest-'))).toBe(true);
  });

  it('throws dice that are even', () => {
    const dice = createDice(1);
    const throws = Array.from({ length: 6000 }, () => dice.between(1, 6));
    for (const face of [1, 2, 3, 4, 5, 6]) {
      const share = throws.filter((one) => one === face).length / throws.length;
      expect(share).toBeGreaterThan(0.14);
      expect(share).toBeLessThan(0.2);
    }
  });
});

describe('the line to the database', () => {
  const said = (letter: string, body: Buffer) => {
    const head = Buffer.alloc(5);
    head.write(letter, 0, 'latin1');
    head.writeUInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const done = (tag: string) => said('C', Buffer.from(`${tag}\0`, 'latin1'));
  const row = said('D', Buffer.from('COMMIT\0INSERT 0 1\0'));

  it('knows the commit of a transaction that wrote, however the stream is chopped', () => {
    const commits = (bytes: Buffer, size: number) => {
      const read = replyReader();
      let found = 0;
      for (let at = 0; at < bytes.length; at += size) if (read(bytes.subarray(at, at + size))) found++;
      return found;
    };
    const wrote = Buffer.concat([
      done('BEGIN'),
      row,
      done('SELECT 1'),
      done('INSERT 0 3'),
      done('COMMIT'),
      said('Z', Buffer.from('I')),
    ]);
    const only = Buffer.concat([done('BEGIN'), row, done('SELECT 1'), done('UPDATE 0'), done('COMMIT')]);
    const undone = Buffer.concat([done('BEGIN'), done('UPDATE 2'), done('ROLLBACK'), done('BEGIN'), done('COMMIT')]);
    for (let size = 1; size <= wrote.length; size++) {
      expect(commits(wrote, size)).toBe(1);
      expect(commits(only, size)).toBe(0);
      expect(commits(undone, size)).toBe(0);
    }
  });
});

describe('the packets', () => {
  // PUBLISH, QoS 1, topic "a/b", id 0x1234, no properties, payload "hi"; then PUBACK and PINGREQ.
  const publish = Buffer.from([0x32, 10, 0, 3, 0x61, 0x2f, 0x62, 0x12, 0x34, 0, 0x68, 0x69]);

  it('are cut out of a stream however it is chopped', () => {
    const stream = Buffer.concat([publish, puback(0x1234), Buffer.from([0xc0, 0])]);
    for (let size = 1; size <= stream.length; size++) {
      const read = packetReader();
      const packets = [];
      for (let at = 0; at < stream.length; at += size) packets.push(...read(stream.subarray(at, at + size)));
      expect(packets.map(({ type }) => type)).toEqual([PUBLISH, PUBACK, 12]);
      expect(packets[0]).toMatchObject({ qos: 1, idAt: 7 });
      expect(Buffer.concat(packets.map(({ bytes }) => bytes))).toEqual(stream);
    }
  });

  it('of more than 127 bytes have a length of several bytes', () => {
    const body = Buffer.alloc(20_000, 1);
    body.writeUInt16BE(3, 0);
    const long = Buffer.concat([Buffer.from([0x30, 0xa0, 0x9c, 0x01]), body]);
    const [packet] = packetReader()(long);
    expect(packet).toMatchObject({ type: PUBLISH, qos: 0, idAt: undefined });
    expect(packet!.bytes).toEqual(long);
  });

  it('take another id and keep the rest', () => {
    const [packet] = packetReader()(publish);
    const changed = withId(packet!, 0xbeef);
    expect(changed.readUInt16BE(7)).toBe(0xbeef);
    changed.writeUInt16BE(0x1234, 7);
    expect(changed).toEqual(publish);
  });
});

describe('the judge', () => {
  const at = { wallMs: 1, monoMs: 1, bootId: 'b', clock: 'sure' } as const;
  const stored = (eventId: string, seq: number, draft = episodeDraft(at, 'e', seq, 9)): StoredEvent => ({
    ...draft,
    eventId,
    seq,
    streamId: 's',
    roomId: 'r',
    storedWallMs: 1,
  });
  const events = [stored('a', 1), stored('b', 2), stored('g', 3, gapDraft(at, 'gap-1'))];
  const accepted = new Set(events.map(ticketOf));
  const shown = new Map([...accepted].map((ticket) => [ticket, 1]));
  const whole = {
    accepted,
    stored: events,
    steady: [shown],
    reloaded: [new Set(['e'])],
    page: new Map([['e', { rows: 1, eventId: 'b' }]]),
  };

  it('finds nothing wrong where nothing is', () => {
    expect(judge(whole)).toEqual({
      accepted: 3,
      lost: 0,
      storedTwice: 0,
      shownTwice: 0,
      missingOnScreen: 0,
      faults: [],
    });
  });

  it('counts what is lost, twice or missing', () => {
    expect(judge({ ...whole, accepted: new Set([...accepted, 'gone']) }).lost).toBe(1);
    expect(judge({ ...whole, stored: [...events, stored('other', 4, episodeDraft(at, 'e', 1, 9))] })).toMatchObject({
      storedTwice: 1,
    });
    expect(judge({ ...whole, steady: [new Map([...shown, ['e/1', 2]])] }).shownTwice).toBe(1);
    expect(judge({ ...whole, steady: [new Map([['e/1', 1]])] }).missingOnScreen).toBe(2);
    expect(judge({ ...whole, reloaded: [new Set<string>()] }).missingOnScreen).toBe(1);
    expect(judge({ ...whole, page: new Map([['e', { rows: 2, eventId: 'a' }]]) })).toMatchObject({
      missingOnScreen: 1,
      shownTwice: 1,
    });
    expect(judge({ ...whole, stored: [...events].reverse() }).faults).not.toEqual([]);
  });
});
