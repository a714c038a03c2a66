/** Loaded into the agent before its own first line (`--import`): writes down whom it connects to, asks for or sends to, for as long as it lives. */
import dgram from 'node:dgram';
import dns from 'node:dns';
import { appendFileSync } from 'node:fs';
import net from 'node:net';

const file = process.env.EVALROOM_TEST_CONNECTIONS;
const note = (what: string) => {
  if (file) appendFileSync(file, `${what}\n`);
};
// biome-ignore lint/suspicious/noExplicitAny: whatever a caller passes goes on as it came
type Any = any;

// Under http, https, tls, undici and mqtt there is always this socket.
const connect = net.Socket.prototype.connect as Any;
net.Socket.prototype.connect = function (this: net.Socket, ...args: Any[]) {
  // Node itself passes what it has put in order already as an array in an array.
  const first = Array.isArray(args[0]) ? args[0][0] : args[0];
  const { host, port, path } = typeof first === 'object' ? first : { host: args[1], port: first, path: undefined };
  if (!path) note(`connect ${typeof host === 'string' ? host : 'localhost'}:${port}`);
  return connect.apply(this, args);
} as Any;

const send = dgram.Socket.prototype.send as Any;
dgram.Socket.prototype.send = function (this: dgram.Socket, ...args: Any[]) {
  note(
    `send ${args
      .slice(1)
      .filter((one) => typeof one === 'string' || typeof one === 'number')
      .join(' ')}`,
  );
  return send.apply(this, args);
} as Any;

for (const name of ['lookup', 'resolve', 'resolve4', 'resolve6'] as const) {
  const ask = dns[name] as Any;
  (dns as Any)[name] = (host: string, ...rest: Any[]) => {
    if (net.isIP(host) === 0) note(`ask ${host}`);
    return ask(host, ...rest);
  };
}
