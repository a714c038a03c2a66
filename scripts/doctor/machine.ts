/** Looks at the machine: Node, Debian packages, programs, ports, disk and clock. */
import { execFile } from 'node:child_process';
import { constants, existsSync, readdirSync, statSync } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, totalmem } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { aptLine, missingPackages, RUN_PACKAGES } from '../setup/debian.mjs';
import { attention, broken, type Finding, ok } from './finding.ts';

const run = promisify(execFile);
const GiB = 1024 ** 3;

/** Node, packages and programs. */
export async function lookAtPrograms(): Promise<Finding[]> {
  const findings = [ok('node', `${process.versions.node} on ${process.platform} ${process.arch}`)];
  if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch))
    findings.push(
      attention('platform', `${process.platform} ${process.arch}`, 'only Linux on x64 and arm64 is tried out'),
    );
  findings.push(ok('processors', `${cpus().length} × ${cpus()[0]?.model.trim()}, ${gib(totalmem())} memory`));
  const missing = missingPackages(RUN_PACKAGES);
  if (missing === undefined)
    findings.push(attention('debian', 'this is not a Debian system', `it needs ${RUN_PACKAGES.join(', ')}`));
  else if (missing.length === 0) findings.push(ok('debian', `${RUN_PACKAGES.length} packages are installed`));
  else findings.push(broken('debian', `missing: ${missing.join(', ')}`, aptLine(missing)));
  findings.push(await program('ffmpeg', ['-hide_banner', '-version'], /^ffmpeg version (\S+)/));
  findings.push(await program('mosquitto', ['-h'], /^mosquitto version (\S+)/));
  return findings;
}

async function program(name: string, args: string[], version: RegExp): Promise<Finding> {
  // Debian keeps servers where the PATH of a plain user does not look.
  const env = { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` };
  try {
    const { stdout } = await run(name, args, { env }).catch((error) => {
      // mosquitto -h prints its help and ends with 3.
      if (typeof error.stdout === 'string' && version.test(error.stdout)) return error as { stdout: string };
      throw error;
    });
    return ok(name, version.exec(stdout)?.[1] ?? 'starts');
  } catch (error) {
    return broken(name, `cannot be started (${(error as NodeJS.ErrnoException).code ?? error})`, aptLine([name]));
  }
}

/** Is `port` free on this machine? */
export async function lookAtPort(port: number, whatFor: string): Promise<Finding> {
  const part = `port ${port}`;
  const server = createServer();
  try {
    await new Promise<void>((listening, failed) => {
      server.once('error', failed);
      server.listen(port, () => listening());
    });
    return ok(part, `free for ${whatFor}`);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return attention(
      part,
      code === 'EADDRINUSE' ? 'another program listens on it' : `cannot be used (${code})`,
      `if that is not evalroom itself, give ${whatFor} another port`,
    );
  } finally {
    server.close();
  }
}

/** Room for evidence in the data folder. */
export async function lookAtDisk(folder: string): Promise<Finding> {
  let place = resolve(folder);
  while (!existsSync(place)) place = dirname(place);
  if (!statSync(place).isDirectory())
    return broken('disk', `${place} is a file, not a folder`, 'set `data` to a folder for what is kept');
  const unfit = await access(place, constants.W_OK).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  if (unfit !== undefined)
    return broken('disk', `${place} cannot be written by this user (${unfit})`, `chown it, or set \`data\` elsewhere`);
  const { bavail, blocks, bsize } = await statfs(place);
  const free = bavail * bsize;
  const found = `${gib(free)} of ${gib(blocks * bsize)} free at ${place}`;
  if (free < GiB) return broken('disk', found, 'below 1 GiB no evidence is kept: make room or set `data` elsewhere');
  if (free < 10 * GiB)
    return attention('disk', found, 'one camera of 4 Mbit/s fills 43 GB a day before old segments go');
  return ok('disk', found);
}

/** Outbox files that the agent has put aside as damaged: what is intact in them waits for somebody to bring it back. */
export function lookForDamage(folder: string): Finding[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const aside = readdirSync(folder)
    .filter((name) => /^outbox\.db(?:-wal)?\.damaged-\d+$/.test(name))
    .sort();
  return aside.map((name) =>
    attention(
      'outbox',
      `a damaged file lies in ${folder}: ${name}`,
      `stop the agent, evalroom outbox salvage ${join(folder, name)} --into ${join(folder, 'outbox.db')}, then move it away`,
    ),
  );
}

/** Is the wall clock disciplined by a time source? */
export async function lookAtClock(): Promise<Finding> {
  const { systemClock } = await import('../../agent/clock.ts');
  const { clock, offsetMs, wallMs } = systemClock().now();
  const time = new Date(wallMs).toISOString();
  if (clock === 'sure')
    return ok(
      'clock',
      `${time}, in step with its source${offsetMs === undefined ? '' : ` (${offsetMs.toFixed(1)} ms off)`}`,
    );
  return attention(
    'clock',
    `${time}, not known to be in step with any source`,
    'events are marked doubtful until one is: install chrony or systemd-timesyncd and give it a server of your network',
  );
}

function gib(bytes: number): string {
  return `${(bytes / GiB).toFixed(1)} GiB`;
}
