/** Runs the cloud as a process: reads its configuration, makes sure that the named boxes are known, listens until asked to end. */
import { existsSync, rmSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Logger } from 'pino';
import { RULES_KEY_FILE } from '../agent/identity.ts';
import { systemClock } from '../cloud/clock.ts';
import { type CloudConfig, loadCloudConfig } from '../cloud/config.ts';
import { retentionWords } from '../cloud/config-retention.ts';
import { writeSecret } from '../cloud/identity/files.ts';
import type { EnrolCode } from '../cloud/identity/identity.ts';
import { createLog } from '../cloud/log.ts';
import { type Cloud, startCloud } from '../cloud/main.ts';
import { DEFAULT_FOLDER } from '../models/manifest.ts';
import { InvalidInput } from '../protocol/errors.ts';
import type { CloudOptions } from './cloud.ts';
import { runPart } from './part.ts';

/** In the folder of the store: where the first supervisor's one-time address lies until there is one. */
const SETUP_FILE = 'setup-address';

/** Runs until SIGINT or SIGTERM. Throws EvalroomError when the cloud can not start. */
export async function serveCloud(options: CloudOptions): Promise<void> {
  const boxes = options.box.map(parseBox);
  const wanted = options.code.map(parseCodeOption);
  const config = configOf(options);
  const log = createLog({ level: 'info', pretty: process.stdout.isTTY === true });
  await runPart(async () => {
    const cloud = await startCloud(config, { log, clock: systemClock() });
    try {
      for (const box of boxes) await ensureBox(cloud, box);
    } catch (error) {
      // Else it would go on listening, and the process would never say why it is not ready.
      await cloud.close();
      throw error;
    }
    // As servers do: certificates that were exchanged are taken without anybody being dropped.
    process.on('SIGHUP', () => {
      cloud.refresh().catch((error: unknown) => log.error({ err: error }, 'reading the certificates again failed'));
    });
    const codes: EnrolCode[] = [];
    for (const box of wanted) codes.push(await cloud.offerCode(box));
    log.info(
      { url: cloud.url, mqtt: cloud.mqttUrl, metrics: cloud.metricsUrl, kept: retentionWords(config) },
      'cloud is running',
    );
    if (process.send === undefined) offerSetup(cloud.setupUrl, { folder: config.data, log });
    if (process.send === undefined)
      for (const { deviceId, code } of codes) process.stdout.write(`  Code for ${deviceId}, for one day: ${code}\n\n`);
    const { url, mqttUrl, metricsUrl, setupUrl } = cloud;
    return {
      ready: {
        url,
        mqttUrl,
        codes,
        ...(metricsUrl === undefined ? {} : { metricsUrl }),
        ...(setupUrl === undefined ? {} : { setupUrl }),
      },
      close: () => cloud.close(),
    };
  });
}

/** Prints what counts of `retention`. Throws InvalidInput `cloud_config` with every fault of the file. */
export function checkCloud(options: CloudOptions): void {
  const config = configOf(options);
  process.stdout.write(
    `${options.config ?? 'without a file, all defaults'}: no fault; kept in ${config.data}:\n${retentionWords(config)
      .map((line) => `  ${line}\n`)
      .join('')}`,
  );
}

const configOf = (options: CloudOptions): CloudConfig =>
  loadCloudConfig(options.config, {
    ...(options.data === undefined ? {} : { data: options.data }),
    ...(options.port === undefined ? {} : { port: options.port }),
    models: process.env.EVALROOM_MODELS ?? DEFAULT_FOLDER,
  });

/** The one-time address is for the person at this terminal. What stands under no terminal is a log, which many may read: then it lies in a file. */
function offerSetup(
  setupUrl: string | undefined,
  { folder, log }: { readonly folder: string; readonly log: Logger },
): void {
  if (setupUrl === undefined) rmSync(join(folder, SETUP_FILE), { force: true });
  else if (process.stdout.isTTY) process.stdout.write(`\n  Open ${setupUrl}\n\n`);
  else {
    const file = writeSecret(folder, SETUP_FILE, `${setupUrl}\n`);
    log.info({ file }, 'nobody can log in yet: the one-time address for the first supervisor lies in this file');
  }
}

interface Box {
  readonly deviceId: string;
  readonly roomId: string;
  readonly secretFile: string;
}

function parseBox(text: string): Box {
  const [deviceId, roomId, ...rest] = text.split(':');
  if (!deviceId || !roomId || rest.length === 0 || rest.join(':') === '')
    throw new InvalidInput('box_option', `--box ${text}: give DEVICE:ROOM:FILE, for example box-101:room-101:./secret`);
  return { deviceId, roomId, secretFile: rest.join(':') };
}

function parseCodeOption(text: string): { deviceId: string; roomId: string } {
  const [deviceId, roomId, ...rest] = text.split(':');
  if (!deviceId || !roomId || rest.length > 0)
    throw new InvalidInput('code_option', `--code ${text}: give DEVICE:ROOM, for example box-101:room-101`);
  return { deviceId, roomId };
}

/**
 * A box whose secret file exists keeps its secret, also where the store has been wiped and knows nothing of it; a new
 * one gets a secret that is shown nowhere else. Beside it lies the public key that the box checks rule packs with.
 */
async function ensureBox(cloud: Cloud, { deviceId, roomId, secretFile }: Box): Promise<void> {
  await mkdir(dirname(secretFile), { recursive: true });
  await writeFile(join(dirname(secretFile), RULES_KEY_FILE), cloud.rulesKey);
  if (existsSync(secretFile)) {
    const secret = (await readFile(secretFile, 'utf8')).trim();
    if (!/^[A-Za-z0-9_-]{20,128}$/.test(secret))
      throw new InvalidInput(
        'box_secret',
        `--box ${deviceId}: ${secretFile} holds no secret (one line of 20 or more letters, digits, - or _); remove it and the box gets a new one`,
      );
    await cloud.addDevice({ deviceId, roomId, secret });
    return;
  }
  const secret = await cloud.addDevice({ deviceId, roomId });
  await writeFile(secretFile, `${secret}\n`, { mode: 0o600, flag: 'wx' });
}
