/** Where a box that is enrolled is sent: to the broker's place for boxes, and never to that of the cloud's own processes. */
import { describe, expect, it } from 'vitest';
import { boxesUrl, outsideBroker } from '../../../../cloud/broker/broker.ts';
import { type BrokerConfig, parseCloudConfig } from '../../../../cloud/config.ts';

const told = (mqtt: string, host: string, url?: string) => {
  const config: BrokerConfig = parseCloudConfig(`{ mqtt: ${mqtt} }`, '/srv').mqtt;
  return boxesUrl(config, url ?? (config.kind === 'outside' ? config.url : ''), host);
};

describe('where boxes are sent', () => {
  it('to an outside broker, unless the cloud itself goes in there by certificate: that may be a port of its own', () => {
    expect(told('{ broker: "mqtts://b.example:8883", user: u }', 'c')).toBe('mqtts://b.example:8883');
    expect(told('{ broker: "mqtts://b.example:8884", certFile: c, keyFile: k }', 'c')).toBeUndefined();
    expect(told('{ broker: "mqtt://127.0.0.1:1883" }', 'c')).toBeUndefined();
  });

  it('to the address of the configuration, which is also what the cloud calls its own', () => {
    const mqtt = '{ broker: "mqtts://b.example:8884", boxesUrl: "mqtts://b.example:8883" }';
    expect(told(mqtt, 'c')).toBe('mqtts://b.example:8883');
    const { url, login } = outsideBroker({ url: 'mqtts://b.example:8884', boxesUrl: 'mqtts://b.example:8883' });
    expect([url, login.url]).toEqual(['mqtts://b.example:8883', 'mqtts://b.example:8884']);
  });

  it('to the child under the name by which they found the cloud', () => {
    expect(told('{ tls: auto }', 'c.example', 'mqtts://0.0.0.0:8883')).toBe('mqtts://c.example:8883');
    expect(told('{ tls: auto }', 'fd00::1', 'mqtts://0.0.0.0:8883')).toBe('mqtts://[fd00::1]:8883');
    expect(told('{}', 'c.example', 'mqtt://127.0.0.1:1883')).toBeUndefined();
  });
});
