import { afterEach, expect, it, vi } from 'vitest';
import { runDiscover } from '../../../scripts/discover-run.ts';

afterEach(() => void vi.restoreAllMocks());

it('lists cameras by address with the line of room.yaml, and says what silence means', async () => {
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  vi.spyOn(console, 'error').mockImplementation(() => {});
  const camera = (host: string) => ({ urn: `urn:uuid:${host}`, host, port: 80, name: 'Door', addresses: [] });
  expect(await runDiscover({ wait: 1 }, async () => [camera('10.0.0.10'), camera('10.0.0.9')])).toBe(0);
  expect(print.mock.calls.map(([line]) => line)).toEqual([
    '10.0.0.9:80  Door  urn:uuid:10.0.0.9\n    room.yaml: onvif: 10.0.0.9:80',
    '10.0.0.10:80  Door  urn:uuid:10.0.0.10\n    room.yaml: onvif: 10.0.0.10:80',
  ]);
  await runDiscover({ wait: 1 }, async () => []);
  expect(print.mock.lastCall?.[0]).toContain('does not cross routers');
  await runDiscover({ wait: 1, json: true }, async () => []);
  expect(print.mock.lastCall?.[0]).toBe('{"cameras":[]}');
});
