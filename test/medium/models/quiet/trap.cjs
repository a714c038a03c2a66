// Required by a process and each of its threads before anything else: writes down every attempt to reach a network.
// CommonJS, since --require reaches threads and --import does not.
const { appendFileSync } = require('node:fs');
const net = require('node:net');

const note = (what) => appendFileSync(process.env.EVALROOM_TRAP, `${what}\n`);

globalThis.fetch = async (address) => {
  note(`fetch ${address}`);
  throw new TypeError('trapped');
};
const { connect } = net.Socket.prototype;
net.Socket.prototype.connect = function trapped(...args) {
  note('connect');
  return connect.apply(this, args);
};
