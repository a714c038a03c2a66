/** The cloud as a process of its own, so that a test can kill it: the folder is its argument, one JSON line its answer. */
import { systemClock } from '../../../cloud/clock.ts';
import { parseCloudConfig } from '../../../cloud/config.ts';
import { createLog } from '../../../cloud/log.ts';
import { startCloud } from '../../../cloud/main.ts';

const config = parseCloudConfig('{ data: data, http: { port: 0 } }', process.argv[2]!);
const cloud = await startCloud(config, { log: createLog({ level: 'silent', pretty: false }), clock: systemClock() });
const secret = await cloud.addDevice({ deviceId: 'box-1', roomId: 'room-1' });
process.stdout.write(`${JSON.stringify({ url: cloud.url, mqttUrl: cloud.mqttUrl, secret })}\n`);
process.once('SIGTERM', () => void cloud.close());
