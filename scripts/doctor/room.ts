/** Looks at one room.yaml: the file itself, and the way to its cloud. */
import { connect } from 'node:net';
import { systemClock } from '../../agent/clock.ts';
import { checkRoomConfig, type RoomConfig } from '../../agent/config.ts';
import { readIdentity } from '../../agent/identity.ts';
import { checkLayout, seatsWarning } from '../../agent/layout.ts';
import { createLog } from '../../agent/log.ts';
import { readKept } from '../../agent/orders.ts';
import { createRulesHolder } from '../../agent/rules.ts';
import type { RoomOrders } from '../../protocol/orders.ts';
import { attention, broken, type Finding, ok, wordsOf } from './finding.ts';

const CONNECT_MS = 3000;
const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'mqtt:': 1883,
  'mqtts:': 8883,
  'http:': 80,
  'https:': 443,
};

/** Every fault of the file, or what it describes. */
export function lookAtRoom(path: string): { readonly findings: Finding[]; readonly config?: RoomConfig } {
  const checked = checkRoomConfig(path);
  if (!checked.ok)
    return {
      findings: checked.problems.map(({ path: place, line, reason }) =>
        broken(
          'room.yaml',
          `${line === undefined ? '' : `line ${line}: `}${place ? `${place}: ` : ''}${reason}`,
          `edit ${path}; room.example.yaml explains every line`,
        ),
      ),
    };
  const { config } = checked;
  const { layout, cameras, microphones, warnings } = config;
  const found = `${layout.roomId}: ${layout.seats.length} seats, ${cameras.length} camera(s), ${microphones.length} extra microphone(s)`;
  const ordered = readKept(config.dataFolder, layout.roomId, createLog({ name: 'doctor', level: 'silent' })).orders;
  const unseated = seatsWarning(ordered.layout ?? layout);
  const said = unseated === undefined ? warnings : [unseated, ...warnings];
  return {
    findings: [
      ok('room.yaml', found),
      ...lookAtLayout(config, ordered),
      ...lookAtRules(config, ordered),
      ...lookAtIdentity(config),
      ...said.map((warning) => attention('room.yaml', warning, `edit ${path}`)),
    ],
    config,
  };
}

/** A layout that was drawn at the desk counts instead of what the file says. */
function lookAtLayout({ layout: own, cameras }: RoomConfig, { layout, revision }: RoomOrders): Finding[] {
  if (!layout) return [];
  const { seats, zones, doorLines } = layout;
  const drawn = `${seats.length} seats, ${zones.length} zones, ${doorLines.length} door line(s)`;
  try {
    checkLayout(
      layout,
      cameras.map(({ cameraId }) => cameraId),
    );
  } catch (error) {
    return [
      attention(
        'layout',
        `the layout drawn at the desk (revision ${revision}) can not run here, room.yaml counts: ${(error as Error).message}`,
        'open the room editor at the desk, correct it and save it again',
      ),
    ];
  }
  return [
    ok(
      'layout',
      `drawn at the desk, revision ${revision}: ${drawn}; it counts, not the ${own.seats.length} seats of room.yaml`,
    ),
  ];
}

/** The pack of room.yaml, or the one that the cloud has ordered; either may be unfit. */
function lookAtRules({ path, rulePack, cloud }: RoomConfig, { rulePack: order, revision }: RoomOrders): Finding[] {
  let rules: ReturnType<typeof createRulesHolder>;
  try {
    rules = createRulesHolder({ rulePack, keyFile: cloud.rulesKey });
  } catch (error) {
    return [broken('rule pack', wordsOf(error), `edit rulePack in ${path}, or the pack`)];
  }
  const findings: Finding[] = [];
  try {
    rules.take(order);
  } catch (error) {
    findings.push(
      attention(
        'rule pack',
        `the one ordered at the desk (revision ${revision}) can not run here, room.yaml counts: ${wordsOf(error)}`,
        'publish it again at the desk, or give the box the key of this cloud (docs/rules.md)',
      ),
    );
    order = undefined;
  }
  const { name, version, rules: judged, phrases } = rules.current();
  const found = `${name} ${version}: ${Object.keys(judged).length} rules, ${phrases.length} phrases`;
  return [...findings, ok('rule pack', order ? `${found}, ordered at the desk, revision ${revision}` : found)];
}

/** How long the box is still known; the agent renews in the last third, so less than that says that it cannot. */
function lookAtIdentity({ identity }: RoomConfig): Finding[] {
  if (!('folder' in identity)) return [];
  const { deviceId, notBeforeWallMs, notAfterWallMs } = readIdentity(identity.folder);
  const [left, life] = [notAfterWallMs - systemClock().wallMs(), notAfterWallMs - notBeforeWallMs];
  const found = `${deviceId}, certificate until ${new Date(notAfterWallMs).toISOString()}`;
  if (left <= 0) return [broken('identity', found, 'enrol the box again: evalroom enroll with a new code')];
  if (left < life / 4)
    return [attention('identity', found, 'the agent should have renewed it: see its log, or enrol the box again')];
  return [ok('identity', found)];
}

/** Are the broker and the upload address within reach? */
export async function lookAtCloud({ cloud }: RoomConfig): Promise<Finding[]> {
  const todo =
    'events wait in the outbox until it answers: is the cloud running, and does a firewall let this box out?';
  return Promise.all(
    [cloud.mqtt, cloud.upload].map((url) => {
      const { host, port } = placeOf(url);
      return lookAtAddress(`cloud ${new URL(url).protocol}`, host, port, todo);
    }),
  );
}

/** Can a TCP connection be made? */
export async function lookAtAddress(part: string, host: string, port: number, todo: string): Promise<Finding> {
  const place = `${host}:${port}`;
  const fault = await new Promise<string | undefined>((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS });
    const end = (reason?: string) => {
      socket.destroy();
      resolve(reason);
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end(`no answer within ${CONNECT_MS / 1000} s`));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
  return fault === undefined ? ok(part, `${place} answers`) : broken(part, `${place}: ${fault}`, todo);
}

function placeOf(url: string): { host: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port ? Number(port) : (DEFAULT_PORTS[protocol] ?? 80) };
}
