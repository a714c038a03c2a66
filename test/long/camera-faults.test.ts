/** Every lasting fault of a camera through the whole room: an event, presence unknown meanwhile, back within ten seconds, a gap in the evidence. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS } from '../../hardware/fake/fault.ts';
import { type FaultRoom, goThrough, startFaultRoom } from '../medium/agent/fault-room.ts';

/** These stop the pictures for good; the others are survived without a fault of the camera. */
const BLIND = ['refuse', 'unauthorized', 'hang', 'audioOnly', 'freeze'] as const;
const SURVIVED = FAULTS.filter((fault) => !(BLIND as readonly string[]).includes(fault));
let room: FaultRoom;

describe('every fault of a camera', () => {
  beforeAll(async () => {
    room = await startFaultRoom();
  });
  afterAll(() => room?.close());

  it.each(BLIND)('%s: an event, presence unknown, and back', async (fault) => {
    // Ten seconds is what is promised; a busy machine may take longer, so the figure is printed and the limit is wider.
    const { seenS, backS } = await goThrough(room, fault, { seenMs: 60_000, backMs: 25_000 });
    console.log(
      `${fault}: event and presence unknown after ${seenS} s, everybody seen again ${backS} s after it ended`,
    );
  });

  it.each(SURVIVED)('%s: is survived, and everybody is seen again', async (fault) => {
    room.setFault(fault);
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    room.setFault(null);
    const seen = async () => ((await room.occupancy()).every((one) => one === 'yes') ? true : undefined);
    await room.until(`${fault}: everybody sits again`, seen, 25_000);
  });

  it('leaves gaps in the evidence on record', () => {
    expect(room.accepted('gap').length).toBeGreaterThan(0);
  });
});
