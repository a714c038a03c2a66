/** Finding a camera and its streams over ONVIF, with right and wrong passwords, skewed clocks and addresses behind NAT. */
import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFakeCamera, type FakeCamera, type FakeCameraOptions } from '../../hardware/fake/camera.ts';
import { discover } from '../../hardware/onvif/discover.ts';
import { resolveCamera } from '../../hardware/onvif/resolve.ts';
import { clock, PASSWORD, readableLog, type ShortFilm, shortFilm, USER } from '../contract/camera-world.ts';

let film: ShortFilm;
const open: FakeCamera[] = [];
beforeAll(async () => {
  film = await shortFilm();
});
afterEach(async () => {
  for (const fake of open.splice(0)) await fake.close();
});
afterAll(() => film.remove());

async function camera(options: FakeCameraOptions = {}) {
  const { main, sub, sound } = film;
  const fake = createFakeCamera({
    main,
    sub,
    sound,
    user: USER,
    password: PASSWORD,
    clock,
    log: readableLog().log,
    options,
  });
  open.push(fake);
  return { fake, ports: await fake.start(new AbortController().signal) };
}

const who = { host: '127.0.0.1', user: USER, password: PASSWORD, clock };
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no failure',
    (error) => error,
  );

describe('resolveCamera', () => {
  it('tells who the camera is and where main and sub are', async () => {
    const { fake, ports } = await camera();
    const found = await resolveCamera({ ...who, port: ports.onvif });
    expect(found).toMatchObject({ manufacturer: 'evalroom', model: 'Fake Camera', firmware: '1.0' });
    expect([found.main, found.sub]).toEqual([fake.urls().main, fake.urls().sub]);
    expect(found.profiles.map(({ width, height, fps }) => [width, height, fps])).toEqual([
      [1280, 720, 5],
      [640, 360, 5],
    ]);
  });

  it.each([-86_400_000, 3_600_000])('gets in although the clock of the camera is off by %i ms', async (clockSkewMs) => {
    const { fake, ports } = await camera({ clockSkewMs });
    expect((await resolveCamera({ ...who, port: ports.onvif })).main).toBe(fake.urls().main);
  });

  it('puts the address that was reached in place of the one that a camera behind NAT believes to have', async () => {
    const { fake, ports } = await camera({ ownAddress: '192.168.77.5' });
    expect((await resolveCamera({ ...who, port: ports.onvif })).sub).toBe(fake.urls().sub);
  });

  it.each([
    ['wrong', { password: 'wrong' }],
    ['no', { password: '' }],
  ])('a %s password is Forbidden, not a camera without streams', async (_name, change) => {
    const { ports } = await camera();
    const error = await failure(resolveCamera({ ...who, ...change, port: ports.onvif }));
    expect(error).toMatchObject({ kind: 'Forbidden', code: 'onvif_password' });
    expect(String(error)).not.toContain(PASSWORD);
  });

  it('a camera that is off, one that hangs, and something that is no camera are told apart', async () => {
    const { fake, ports } = await camera();
    await fake.setFault('hang');
    const limits = { ...who, timeoutMs: 500 };
    expect(await failure(resolveCamera({ ...limits, port: ports.onvif }))).toMatchObject({
      kind: 'Unavailable',
      code: 'onvif_timeout',
    });
    await fake.close();
    expect(await failure(resolveCamera({ ...limits, port: ports.onvif }))).toMatchObject({
      kind: 'Unavailable',
      code: 'onvif_unreachable',
    });
    const web = createServer((_request, response) => response.end('<html><body>hello</body></html>'));
    const port = await new Promise<number>((resolve) =>
      web.listen(0, '127.0.0.1', () => resolve((web.address() as { port: number }).port)),
    );
    expect(await failure(resolveCamera({ ...limits, port }))).toMatchObject({
      kind: 'InvalidInput',
      code: 'onvif_no_device',
    });
    await new Promise((resolve) => web.close(resolve));
  });
});

describe('discover', () => {
  it('finds each camera once by WS-Discovery', async () => {
    const { ports } = await camera({ ports: { discovery: 0 } });
    const target = { address: '127.0.0.1', port: ports.discovery! };
    const found = await discover({ timeoutMs: 400, clock, target });
    expect(found).toMatchObject([{ host: '127.0.0.1', port: ports.onvif, name: 'Fake Camera' }]);
  });

  it('finds nothing where nobody answers', async () => {
    const { fake, ports } = await camera({ ports: { discovery: 0 } });
    await fake.setFault('refuse');
    expect(await discover({ timeoutMs: 200, clock, target: { address: '127.0.0.1', port: ports.discovery! } })).toEqual(
      [],
    );
  });
});
