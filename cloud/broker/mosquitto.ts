/** Mosquitto as a child of the cloud: started with generated files, watched over, told of new devices, never left behind. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { connect } from 'mqtt';
import type { Logger } from 'pino';
import { InvalidInput, Unavailable } from '../../protocol/errors.ts';
import { topics } from '../../protocol/stream.ts';
import type { Clock } from '../../protocol/time.ts';
import type { Broker, BrokerDevice } from './broker.ts';
import { brokerAcl, brokerConf, INGEST_USER, type Listener, PROBE_USER, writeWhole } from './files.ts';
import { readNotices, TRAFFIC } from './notices.ts';
import { hashSecret, newSecret } from './secret.ts';

/** Waits between restarts of a broker that ends by itself; the last one repeats. */
const BACKOFF_MS = [200, 500, 1000, 2000, 5000] as const;
const READY_MS = 5000;
const KILL_MS = 3000;

export interface MosquittoParts {
  readonly listener: Listener;
  /** Where its files lie; made when absent. */
  readonly folder: string;
  readonly devices: readonly BrokerDevice[];
  /** The ingest's password where other processes log in too; a new one at every start otherwise. */
  readonly ingestSecret?: string;
  /** Port of the cloud's own listener on 127.0.0.1 beside one with TLS; any free one where absent. */
  readonly ingestPort?: number;
  readonly log: Logger;
  readonly clock: Clock;
  /** Folders to look for the programs in, as in PATH; Debian has mosquitto in /usr/sbin and setpriv in /usr/bin. */
  readonly searchPath: string;
}

/**
 * Resolves when a login works. Throws Unavailable `mosquitto_missing`, `port_in_use`, or `broker_failed` with what it
 * said last.
 */
export async function startMosquitto(parts: MosquittoParts): Promise<Broker> {
  const { folder, log, clock } = parts;
  const program = findProgram('mosquitto', parts.searchPath);
  if (!program)
    throw new Unavailable(
      'mosquitto_missing',
      'starting the broker: the program mosquitto is not installed; install it (Debian: apt install mosquitto) or name an outside broker in cloud.yaml',
    );
  await endLeftBehind(folder, clock);
  const port = await choosePort(folder, parts.listener);
  const listener = { ...parts.listener, port };
  const scheme = listener.tls ? 'mqtts' : 'mqtt';
  const url = `${scheme}://${listener.host.includes(':') ? `[${listener.host}]` : listener.host}:${port}`;
  const innerPort = listener.tls ? (parts.ingestPort ?? (await bindable('127.0.0.1', 0))) : undefined;
  const innerUrl = innerPort === undefined ? url : `mqtt://127.0.0.1:${innerPort}`;
  const places = [
    { host: listener.host, at: port },
    { host: '127.0.0.1', at: innerPort },
    { host: listener.host, at: listener.tls?.workersPort },
  ];
  const ingestSecret = parts.ingestSecret ?? newSecret();
  const onNotice = listener.tls?.onNotice;
  const closing = new AbortController();
  let devices = parts.devices;
  let child: ChildProcess | undefined;
  let said: string[] = [];
  let restarts = 0;
  let reason: string | undefined;
  /** The probe's password: a login with it works exactly when the broker has read the newest files. */
  let probe = '';

  /** Mosquitto lets anybody subscribe to anything and then delivers nothing: what was asked for is worth a notice. */
  const isOwnTopic = (deviceId: string, topic: string) => {
    const device = devices.find((one) => one.deviceId === deviceId);
    return device === undefined || topic === topics.ack(device.roomId);
  };
  const writeFiles = () => {
    probe = randomBytes(16).toString('hex');
    const lines = [
      `${INGEST_USER}:${hashSecret(ingestSecret)}`,
      `${PROBE_USER}:${hashSecret(probe)}`,
      ...devices.map(({ deviceId, secretHash }) => `${deviceId}:${secretHash}`),
    ];
    writeWhole(folder, 'passwords', `${lines.join('\n')}\n`);
    writeWhole(folder, 'acl', brokerAcl(devices));
    writeWhole(folder, 'mosquitto.conf', brokerConf(folder, listener, innerPort));
  };

  const run = async (): Promise<{ ended: Promise<string> }> => {
    // Not left to Mosquitto: a stranger's broker that lets everybody in would take our login, and be taken for ours.
    for (const { host, at } of places)
      if (at !== undefined && (await taken(host, at))) throw portTaken(url, `${host}:${at}`);
    writeFiles();
    said = [];
    const conf = join(folder, 'mosquitto.conf');
    const { started, output } = launch(program, conf, {
      searchPath: parts.searchPath,
      filtered: onNotice !== undefined,
    });
    child = started;
    const notice = readNotices(port, isOwnTopic);
    if (output)
      createInterface({ input: output }).on('line', (line) => {
        if (line !== '') said = [...said, line].slice(-20);
        const found = notice(line);
        if (found) onNotice?.(found);
      });
    const ended = new Promise<string>((resolve) => {
      started.once('error', (error) => resolve(error.message));
      started.once('exit', (code, signal) => resolve(`exit ${code ?? signal}: ${said.join('; ')}`));
    });
    if (started.pid !== undefined) writeWhole(folder, 'pid', `${started.pid}\n`);
    let over: string | undefined;
    void ended.then((how) => {
      over = how;
    });
    const deadline = clock.monoMs() + READY_MS;
    while (!(await loginWorks(innerUrl, probe))) {
      if (over !== undefined) throw startFailed(over, url);
      if (clock.monoMs() > deadline) {
        started.kill('SIGKILL');
        throw startFailed(`no answer within ${READY_MS} ms: ${said.join('; ')}`, url);
      }
      await clock.sleep(10);
    }
    reason = undefined;
    return { ended };
  };

  let current = await run();
  const watching = (async () => {
    for (let attempt = 0; ; ) {
      const begun = clock.monoMs();
      const how = await current.ended;
      if (closing.signal.aborted) return;
      if (clock.monoMs() - begun > 60_000) attempt = 0;
      for (;;) {
        reason = how;
        restarts++;
        log.error({ how, restarts }, 'the broker ended by itself and is started again');
        await clock.sleep(BACKOFF_MS[Math.min(attempt++, BACKOFF_MS.length - 1)]!, closing.signal);
        if (closing.signal.aborted) return;
        try {
          current = await run();
          break;
        } catch (error) {
          reason = (error as Error).message;
        }
      }
    }
  })();

  let changing: Promise<void> = Promise.resolve();
  return {
    url,
    login: { url: innerUrl, username: INGEST_USER, password: ingestSecret },
    setDevices(next) {
      const change = changing.then(async () => {
        devices = next;
        writeFiles();
        child?.kill('SIGHUP');
        const deadline = clock.monoMs() + READY_MS;
        while (!(await loginWorks(innerUrl, probe))) {
          if (clock.monoMs() > deadline)
            throw new Unavailable('broker_failed', `telling the broker at ${url} of its devices: it did not take them`);
          await clock.sleep(20);
        }
      });
      changing = change.catch(() => undefined);
      return change;
    },
    async drop(deviceId) {
      // A client of the same name takes its place, and leaves at once.
      const client = connect(innerUrl, {
        username: INGEST_USER,
        password: ingestSecret,
        clientId: deviceId,
        protocolVersion: 5,
        reconnectPeriod: 0,
        connectTimeout: 2000,
      });
      await new Promise<void>((resolve) => {
        client.once('connect', () => resolve());
        client.once('close', () => resolve());
        client.on('error', () => resolve());
      });
      await client.endAsync(true);
    },
    state: () => ({ running: reason === undefined, restarts, ...(reason === undefined ? {} : { reason }) }),
    async close() {
      closing.abort();
      await changing;
      await endChild(child, clock);
      await watching;
    },
  };
}

const portTaken = (url: string, which: string) =>
  new Unavailable(
    'port_in_use',
    `starting the broker at ${url}: another program has ${which}; stop it or set another port in cloud.yaml (a Mosquitto that Debian started: systemctl disable --now mosquitto)`,
  );

function startFailed(how: string, url: string): Unavailable {
  if (/address already in use/i.test(how)) return portTaken(url, 'one of its ports');
  return new Unavailable('broker_failed', `starting the broker at ${url}: ${how}`);
}

function findProgram(name: string, searchPath: string): string | undefined {
  return searchPath
    .split(delimiter)
    .filter((folder) => folder !== '')
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path));
}

/**
 * setpriv makes the kernel end the broker when the cloud is killed so hard that it cannot do so itself. `filtered`: what
 * it says goes through a grep that drops the lines of its traffic.
 */
function launch(
  program: string,
  conf: string,
  { searchPath, filtered }: { readonly searchPath: string; readonly filtered: boolean },
): { readonly started: ChildProcess; readonly output: Readable | null } {
  const setpriv = findProgram('setpriv', searchPath);
  const [name, args] = setpriv ? [setpriv, ['--pdeathsig', 'TERM', program, '-c', conf]] : [program, ['-c', conf]];
  const grep = filtered ? findProgram('grep', searchPath) : undefined;
  const filter = grep
    ? spawn(grep, ['--line-buffered', '-v', '-E', TRAFFIC], { stdio: ['pipe', 'pipe', 'ignore'], detached: true })
    : undefined;
  // Its exit says the same, and what it means is said below.
  filter?.on('error', () => undefined);
  filter?.stdin.on('error', () => undefined);
  // Detached: a Ctrl-C on the terminal reaches the cloud alone, which ends the broker last.
  const started = spawn(name, args, { stdio: ['ignore', 'ignore', filter?.stdin ?? 'pipe'], detached: true });
  // The broker alone holds the pipe now: the filter ends with it. A broker that nobody hears is started again.
  filter?.stdin.destroy();
  filter?.once('exit', () => started.kill('SIGTERM'));
  return { started, output: filter ? filter.stdout : started.stderr };
}

async function endChild(child: ChildProcess | undefined, clock: Clock): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  child.kill('SIGTERM');
  const done = new AbortController();
  await Promise.race([gone, clock.sleep(KILL_MS, done.signal).then(() => child.kill('SIGKILL'))]);
  done.abort();
  await gone;
}

/** A broker of this very folder from a cloud that was killed: its port and its old secrets must not live on. */
async function endLeftBehind(folder: string, clock: Clock): Promise<void> {
  const conf = join(folder, 'mosquitto.conf');
  const pidLeft = () => {
    try {
      const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(conf) ? pid : undefined;
    } catch {
      // No file, no such process, no /proc: nothing is left behind that could be found.
      return undefined;
    }
  };
  const deadline = clock.monoMs() + KILL_MS;
  for (let pid = pidLeft(); pid !== undefined; pid = pidLeft()) {
    process.kill(pid, clock.monoMs() < deadline ? 'SIGTERM' : 'SIGKILL');
    await clock.sleep(50);
  }
}

/** The port that was asked for, else the one that agents already know, else a free one; remembered. */
async function choosePort(folder: string, listener: Listener): Promise<number> {
  if (listener.port !== 0) return listener.port;
  let last = 0;
  try {
    last = Number(readFileSync(join(folder, 'port'), 'utf8')) || 0;
  } catch {
    // The first start.
  }
  const port = (last > 0 && (await bindable(listener.host, last))) || (await bindable(listener.host, 0));
  if (!port) throw new InvalidInput('mqtt_host', `starting the broker: ${listener.host} is no address of this machine`);
  writeWhole(folder, 'port', `${port}\n`);
  return port;
}

function bindable(host: string, port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : undefined));
    });
  });
}

/** What else may be wrong with a place Mosquitto itself says. */
function taken(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'EADDRINUSE'));
    server.listen(port, host, () => server.close(() => resolve(false)));
  });
}

/** One try, to the listener of this machine. */
function loginWorks(url: string, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    const client = connect(url, {
      username: PROBE_USER,
      password,
      clientId: `probe-${randomBytes(6).toString('hex')}`,
      protocolVersion: 5,
      reconnectPeriod: 0,
      connectTimeout: 1000,
    });
    const finish = (works: boolean) => {
      client.removeAllListeners();
      client.on('error', () => undefined);
      client.end(true);
      resolve(works);
    };
    client.once('connect', () => finish(true));
    client.once('error', () => finish(false));
    client.once('close', () => finish(false));
  });
}
