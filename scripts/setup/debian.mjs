// The Debian packages that the product runs with and is tested with, and their installation.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

/** Needed to run: the stream reader, the broker, the English ear and Chinese letters for pages and clips. */
export const RUN_PACKAGES = [
  'ffmpeg',
  'mosquitto',
  'pocketsphinx',
  'pocketsphinx-en-us',
  'libpocketsphinx3',
  'fonts-noto-cjk',
];

/** Needed by the tests on top: a browser, a second database, a second broker, storage for clips, a voice, RTSP servers that are not ours,
 * and what reads the composition of docs/deploy (no engine). */
export const TEST_PACKAGES = [
  'chromium',
  'docker-compose',
  'mosquitto-clients',
  'nats-server',
  'postgresql',
  'python3-swift',
  'espeak-ng',
  'gir1.2-gst-rtsp-server-1.0',
  'gstreamer1.0-rtsp',
  'gstreamer1.0-plugins-base',
  'gstreamer1.0-plugins-good',
  'gstreamer1.0-plugins-bad',
  'gstreamer1.0-plugins-ugly',
  'python3-gi',
];

const STATUS_FILE = '/var/lib/dpkg/status';

/** Names of installed packages out of the text of dpkg's status file. */
export function installedIn(statusText) {
  const installed = new Set();
  let name = '';
  for (const line of statusText.split('\n')) {
    if (line.startsWith('Package: ')) name = line.slice(9).trim();
    else if (line.startsWith('Status: ') && line.endsWith(' ok installed')) installed.add(name);
  }
  return installed;
}

/** Those of `wanted` that are not installed; undefined on a machine without dpkg. */
export function missingPackages(wanted, statusFile = STATUS_FILE) {
  if (!existsSync(statusFile)) return undefined;
  const installed = installedIn(readFileSync(statusFile, 'utf8'));
  return wanted.filter((name) => !installed.has(name));
}

/** The one line to type by hand. */
export function aptLine(names) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${names.join(' ')}`;
}

/** Words to put before a command so that it runs as root without asking: [] for root itself, undefined when not possible. */
export function asRoot() {
  if (process.getuid?.() === 0) return [];
  const sudo = spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' });
  return sudo.status === 0 ? ['sudo', '-n'] : undefined;
}

const POLICY_FILE = '/usr/sbin/policy-rc.d';
const POLICY = '#!/bin/sh\nexit 101\n';

// Debian starts a broker or a database as soon as it is installed. Ours are started by the cloud and by the tests on
// ports of their own, so the installation is told not to, unless the machine's owner already has a policy.
function holdServices(root) {
  if (existsSync(POLICY_FILE)) return () => {};
  if (root.length === 0) {
    writeFileSync(POLICY_FILE, POLICY);
    chmodSync(POLICY_FILE, 0o755);
    return () => rmSync(POLICY_FILE, { force: true });
  }
  const [command, ...rest] = root;
  const script = `printf '%s\\n' '#!/bin/sh' 'exit 101' > ${POLICY_FILE} && chmod 755 ${POLICY_FILE}`;
  spawnSync(command, [...rest, 'sh', '-c', script], { stdio: 'ignore' });
  return () => spawnSync(command, [...rest, 'rm', '-f', POLICY_FILE], { stdio: 'ignore' });
}

/** Installs `names` with apt as root; `progress` shows it. */
export async function installPackages(names, root, progress) {
  const advice = `Try it by hand and look at what apt says:\n  ${aptLine(names)}`;
  const apt = [...root, 'env', 'DEBIAN_FRONTEND=noninteractive', 'LC_ALL=C', 'apt-get', '-q'];
  const run = (...args) => progress.run(apt[0], [...apt.slice(1), ...args], { advice });
  const release = holdServices(root);
  try {
    await run('update');
    await run('install', '-y', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=120', ...names);
  } finally {
    release();
  }
}
