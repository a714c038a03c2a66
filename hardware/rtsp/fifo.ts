/** A pipe whose bytes are read straight into memory that we choose: what Node does for sockets of its own, for a child's output. */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Unavailable } from '../../protocol/errors.ts';
import type { PipeSink } from './raw.ts';

export interface Fifo {
  /** For the child's stdio. */
  readonly writeFd: number;
  /** Call when the child has its end: ours is closed, so that the child's end is the last one, and reading begins. */
  begin(): void;
  /** Instead of `begin`, when there will be no child: both ends are closed. */
  drop(): void;
  /** Read to the end. */
  readonly ended: Promise<void>;
}

/**
 * Both ends of a pipe without a name (the name is gone before this returns). Throws Unavailable `pipe_not_made` where
 * the folder for temporary files can not be written or there is no mkfifo.
 */
export function openFifo(sink: PipeSink): Fifo {
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'evalroom-pipe-'));
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', path]);
    // Without O_NONBLOCK the reader would wait here for a writer, and the writer for a reader.
    const readFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return reading(readFd, openSync(path, constants.O_WRONLY), sink);
    } catch (error) {
      closeSync(readFd);
      throw error;
    }
  } catch (cause) {
    throw new Unavailable(
      'pipe_not_made',
      `making a pipe for ffmpeg's pictures in ${tmpdir()}: is there room, may it be written, is mkfifo installed?`,
      cause,
    );
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}

function reading(fd: number, writeFd: number, sink: PipeSink): Fifo {
  const socket = new Socket({
    fd,
    readable: true,
    writable: false,
    onread: {
      buffer: () => sink.room(),
      callback(bytes) {
        sink.took(bytes);
        return true;
      },
    },
  });
  // What a broken pipe means is told by the exit of the child.
  socket.on('error', () => {});
  const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  return {
    writeFd,
    begin() {
      closeSync(writeFd);
      socket.resume();
    },
    drop() {
      closeSync(writeFd);
      socket.destroy();
    },
    ended,
  };
}
