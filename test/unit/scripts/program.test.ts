import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { InvalidInput } from '../../../protocol/errors.ts';
import { ENTRIES, wordError } from '../../../scripts/program.ts';

const LAUNCHER = fileURLToPath(new URL('../../../scripts/evalroom.mjs', import.meta.url));

function evalroom(...args: string[]) {
  return spawnSync(process.execPath, [LAUNCHER, ...args], { encoding: 'utf8' });
}

describe('evalroom', () => {
  it('names every subcommand in its help', () => {
    const { stdout, status } = evalroom('--help');
    expect(status).toBe(0);
    for (const { name, summary } of ENTRIES.filter(({ hidden }) => !hidden)) {
      expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
      expect(stdout.replace(/\s+/g, ' ')).toContain(summary);
    }
  });

  it('answers wrong usage with 2 and suggests what was meant', () => {
    const unknown = evalroom('demmo');
    expect(unknown.status).toBe(2);
    expect(unknown.stderr).toContain('Did you mean demo?');
    expect(evalroom().status).toBe(2);
    expect(evalroom('doctor', '--no-such-option').status).toBe(2);
  });

  it.each(ENTRIES.map(({ name }) => name))('%s has help text of its own', (name) => {
    const { stdout, stderr, status } = evalroom(name, '--help');
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toContain(`Usage: evalroom ${name}`);
  });
});

describe('wordError', () => {
  const error = new InvalidInput('room_unreadable', 'reading room.yaml: no such file', new Error('ENOENT'));

  it('is one line with the stable code', () => {
    expect(wordError(error, false)).toBe('evalroom: reading room.yaml: no such file [room_unreadable]');
  });

  it('shows the causes when asked', () => {
    expect(wordError(error, true)).toMatch(/InvalidInput: reading room.yaml[\s\S]*caused by: Error: ENOENT/);
  });
});
