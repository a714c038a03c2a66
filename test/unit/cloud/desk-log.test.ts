/** Whether the log at the desk says that its chain holds: one check for all who ask meanwhile, and a break is never taken back. */
import { describe, expect, it } from 'vitest';
import { createDesk } from '../../../cloud/review/desk.ts';
import { stillClock } from './still-clock.ts';

const who = { user: { userId: 'u', name: 'v', role: 'viewer' }, sessionId: 'x' } as const;

function desk() {
  const checks: ((holds: boolean) => void)[] = [];
  let monoMs = 0;
  const store = {
    chainHolds: () => new Promise<boolean>((resolve) => checks.push(resolve)),
    log: async () => [],
  };
  const made = createDesk({
    store: store as never,
    files: {} as never,
    rooms: {} as never,
    onCommit() {},
    clock: { ...stillClock().clock, monoMs: () => monoMs },
  });
  return {
    checks,
    pass(ms: number) {
      monoMs += ms;
    },
    log: async () => (await made.log(who, { limit: 1 })).chainHolds,
  };
}

describe('the log at the desk', () => {
  it('has its chain checked once for all who ask meanwhile', async () => {
    const { checks, log } = desk();
    const asked = [log(), log(), log()];
    await Promise.resolve();
    expect(checks).toHaveLength(1);
    checks[0]!(false);
    expect(await Promise.all(asked)).toEqual([false, false, false]);
  });

  it('goes on saying that it is broken, and checks again after a minute while it holds', async () => {
    const { checks, log, pass } = desk();
    const first = log();
    checks[0]!(true);
    expect(await first).toBe(true);
    expect(await log()).toBe(true);
    pass(61_000);
    const second = log();
    pass(61_000);
    // Asked later, while the check of the one before still runs.
    const third = log();
    expect(checks).toHaveLength(2);
    checks[1]!(false);
    expect(await Promise.all([second, third])).toEqual([false, false]);
    pass(61_000);
    expect(await log()).toBe(false);
    expect(checks).toHaveLength(2);
  });

  it('asks again after a check that failed', async () => {
    const { checks, log } = desk();
    const refused = expect(log()).rejects.toThrow('gone');
    checks[0]!(Promise.reject(new Error('gone')) as never);
    await refused;
    const again = log();
    checks[1]!(true);
    expect(await again).toBe(true);
  });
});
