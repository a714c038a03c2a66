/** What Mosquitto says while it runs, read line by line: who came in, who was thrown out, who was refused what. */

export type BrokerNotice =
  /** A connection that did not get as far as a name. */
  | { readonly kind: 'refused'; readonly reason: string; readonly address?: string }
  /** A known device asked for a topic that is not its own. */
  | {
      readonly kind: 'denied';
      readonly deviceId: string;
      readonly verb: 'publish' | 'subscribe';
      readonly topic: string;
    }
  /** In under this name; `instead` when somebody else with the same name was thrown out for it. */
  | {
      readonly kind: 'entered';
      readonly deviceId: string;
      readonly address: string;
      readonly instead: boolean;
    };

/**
 * For `grep -v -E`: the lines of the traffic itself, which are many and tell nothing. They are dropped by a process of their own,
 * so that a busy cloud never has to read them and a broker never has to wait for it.
 */
export const TRAFFIC = [
  '^(Received|Sending) (PUB|PING|SUB|UNSUB|DISCONNECT|CONNECT )',
  '^Sending CONNACK to .* \\(0, 0\\)$',
  '^[[:cntrl:]]',
  '^(No will|Will) message',
  '^Client .* disconnected\\.$',
].join('|');

/** Addresses of connections that have no name yet: so many are remembered. */
const PENDING = 256;
const TOPIC_CHARS = 200;
/** OpenSSL tells the other side which of the three it was; Mosquitto's own log does not say. */
const REASONS = {
  none: 'no certificate',
  bad: 'certificate of another authority, expired or revoked',
  plain: 'no TLS, or a version too old',
  secret: 'name or secret not known',
  theirs: 'the other side does not take the certificate of this broker',
} as const;
const FAULTS: readonly (readonly [RegExp, string])[] = [
  [/did not return a certificate/, REASONS.none],
  [/certificate verify failed/, REASONS.bad],
  [/wrong version number|http request|unsupported protocol|no shared cipher|version too low/, REASONS.plain],
  [/alert (?:unknown ca|bad certificate|certificate|unsupported certificate)/, REASONS.theirs],
];

/** Undefined for what is no refusal: a line that was cut, for one. */
const handshakeFault = (words: string): string | undefined => FAULTS.find(([pattern]) => pattern.test(words))?.[1];

/**
 * Takes the lines of one run. Mosquitto names no address beside a failed handshake: it is told only where exactly one
 * connection was waiting for its handshake at that time.
 */
export function readNotices(
  tlsPort: number,
  isOwnTopic: (deviceId: string, topic: string) => boolean,
): (line: string) => BrokerNotice | undefined {
  let pending: string[] = [];
  let replaced: string | undefined;
  let told = false;
  const refusal = (reason: string, known?: string): BrokerNotice => {
    const address = known ?? takeAddress();
    told = true;
    return { kind: 'refused', reason, ...(address === undefined ? {} : { address }) };
  };
  const takeAddress = (): string | undefined => {
    const [only, another] = pending;
    if (another !== undefined) pending.shift();
    else pending = [];
    return another === undefined ? only : undefined;
  };
  return (line) => {
    const opened = /^New connection from (.+):\d+ on port (\d+)\.$/.exec(line);
    if (opened) {
      if (Number(opened[2]) === tlsPort && pending.length < PENDING) pending.push(opened[1]!);
      return undefined;
    }
    const over = /^Client (.+) already connected, closing old connection\.$/.exec(line);
    if (over) {
      replaced = over[1]!;
      return undefined;
    }
    const entered = /^New client connected from (.+):\d+ as (.+) \(p\d+, c\d+, k\d+, u'(.+)'\)\.$/.exec(line);
    if (entered) {
      const [, address, clientId, user] = entered;
      const at = pending.indexOf(address!);
      if (at >= 0) pending.splice(at, 1);
      const instead = replaced === clientId;
      replaced = undefined;
      return { kind: 'entered', deviceId: user!, address: address!, instead };
    }
    const denied = /^Denied PUBLISH from (\S+) \(d\d, q\d, r\d, m\d+, '(.*)', \.\.\. \(\d+ bytes\)\)$/.exec(line);
    if (denied)
      return { kind: 'denied', deviceId: denied[1]!, verb: 'publish', topic: denied[2]!.slice(0, TOPIC_CHARS) };
    const subscribed = /^(\S+) [012] (.+)$/.exec(line);
    if (subscribed) {
      const [, deviceId, topic] = subscribed;
      return isOwnTopic(deviceId!, topic!)
        ? undefined
        : { kind: 'denied', deviceId: deviceId!, verb: 'subscribe', topic: topic!.slice(0, TOPIC_CHARS) };
    }
    // The same failure is worded in two ways: the second one where the first bytes came with the connection itself.
    const failed = /^(?:OpenSSL Error\[0\]|Client connection from (.+) failed): (error:.+?)\.?$/.exec(line);
    const reason = failed && handshakeFault(failed[2]!);
    if (reason) {
      if (failed[1] === undefined) return refusal(reason);
      takeAddress();
      return refusal(reason, failed[1]);
    }
    const rejected = /^Sending CONNACK to (.+) \(0, (?:4|5|134|135)\)$/.exec(line);
    if (rejected) return refusal(REASONS.secret, rejected[1]);
    if (line.startsWith('Client <unknown> ')) {
      // The end of what was told just now, or of a connection that never said anything.
      if (!told) pending.shift();
      told = false;
    }
    return undefined;
  };
}
