/** Inside the storm: the line between an ingest worker and its database, which can stop the world between COMMIT and its answer. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Unavailable } from '../../protocol/errors.ts';

/** A worker that stores nothing for so long will not: every part that it needs comes back in less. */
const WAIT_MS = 180_000;

export interface CommitTrap {
  readonly port: number;
  /**
   * Resolves when a transaction that wrote has been committed, before the worker hears of it: killed now, it has stored
   * events that it has neither acked nor told anybody of. The line stays shut until the worker is gone.
   * Throws Unavailable `storm_no_commit` where none comes.
   */
  sprung(): Promise<void>;
  close(): Promise<void>;
}

/** Listens on a free port of the loopback; every connection goes on to `target`. */
export async function startCommitTrap(target: number): Promise<CommitTrap> {
  const pairs = new Set<Socket>();
  let spring: (() => void) | undefined;
  const server = createServer((worker) => {
    const database = connect(target, '127.0.0.1');
    const read = replyReader();
    let shut = false;
    database.on('data', (chunk: Buffer) => {
      const committed = read(chunk);
      if (committed && spring) {
        shut = true;
        spring();
        spring = undefined;
      }
      if (!shut && worker.writable) worker.write(chunk);
    });
    worker.on('data', (chunk: Buffer) => {
      if (database.writable) database.write(chunk);
    });
    const end = () => {
      for (const socket of [worker, database]) {
        socket.destroy();
        pairs.delete(socket);
      }
    };
    for (const socket of [worker, database]) {
      pairs.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', end);
    }
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    sprung: () =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          spring = undefined;
          reject(new Unavailable('storm_no_commit', `waiting for a worker to store something: none in ${WAIT_MS} ms`));
        }, WAIT_MS);
        spring = () => {
          clearTimeout(timer);
          resolve();
        };
      }),
    close: async () => {
      for (const socket of pairs) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Follows what the server says (PostgreSQL's frontend/backend protocol 3.0: a letter, a length, a body) and is true for a
 * chunk in which a transaction that had written something was reported as committed.
 */
export function replyReader(): (chunk: Buffer) => boolean {
  let rest: Buffer = Buffer.alloc(0);
  let wrote = false;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let committed = false;
    let at = 0;
    while (rest.length >= at + 5) {
      const end = at + 1 + rest.readUInt32BE(at + 1);
      if (rest.length < end) break;
      if (rest[at] === 0x43) {
        // CommandComplete, whose tag ends with a zero.
        const tag = rest.toString('latin1', at + 5, end - 1);
        if (/^(?:INSERT 0|UPDATE|DELETE) [1-9]/.test(tag)) wrote = true;
        else if (tag === 'COMMIT' && wrote) committed = true;
        if (/^(?:BEGIN|COMMIT|ROLLBACK)$/.test(tag)) wrote = false;
      }
      at = end;
    }
    rest = rest.subarray(at);
    return committed;
  };
}
