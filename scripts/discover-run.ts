/** Prints which ONVIF cameras answer a probe, and the line of room.yaml that uses each. */
import { systemClock } from '../agent/clock.ts';
import { discover, type FoundCamera } from '../hardware/onvif/discover.ts';
import type { DiscoverOptions } from './discover.ts';

/** Asks once, prints what answered, and returns the exit code. `find` is exchanged by tests that have no multicast. */
export async function runDiscover({ wait, json }: DiscoverOptions, find = discover): Promise<number> {
  const timeoutMs = wait * 1000;
  if (!json) console.error(`Asking the network for cameras, ${wait} s …`);
  const cameras = await find({ timeoutMs, clock: systemClock() });
  cameras.sort((a, b) => a.host.localeCompare(b.host, 'en', { numeric: true }));
  if (json) console.log(JSON.stringify({ cameras }));
  else if (cameras.length === 0) console.log(NONE);
  else for (const camera of cameras) console.log(wordCamera(camera));
  return 0;
}

const NONE = `No camera answered. That is no proof that there is none: WS-Discovery does not cross routers or VLANs, and many
cameras have it switched off. Name the camera by its address instead: evalroom demo --camera user:pass@host`;

function wordCamera({ host, port, name, hardware, urn }: FoundCamera): string {
  const who = [name, hardware].filter(Boolean).join(', ');
  return `${host}:${port}  ${who || 'tells no name'}  ${urn}\n    room.yaml: onvif: ${host}:${port}`;
}
