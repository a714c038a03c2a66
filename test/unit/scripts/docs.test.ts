/** The pages that can be compared with the source are. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { LIMITS, parseTopic, topics } from '../../../protocol/stream.ts';
import { RUN_PACKAGES, TEST_PACKAGES } from '../../../scripts/setup/debian.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const PAGES = ['README.md', 'AGENTS.md', 'CHANGELOG.md'].concat(
  ['glossary', 'durability', 'time', 'threats', 'protocol', 'errors', 'dependencies'].map((name) => `docs/${name}.md`),
);

describe('docs/dependencies.md', () => {
  const page = read('docs/dependencies.md');
  const json = JSON.parse(read('package.json'));
  const packages = Object.keys({ ...json.dependencies, ...json.devDependencies, ...json.optionalDependencies });

  it('gives every package of package.json a reason', () => {
    expect(packages.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
  });

  it('names no package that is gone', () => {
    const named = [...page.matchAll(/^\| (`[^|]+`) \| [^|]*(?:MIT|Apache|ISC)/gm)].flatMap(([, cell]) =>
      [...cell!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!),
    );
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((name) => !packages.includes(name))).toEqual([]);
  });

  it('gives every Debian package of the set-up a reason', () => {
    const missing = [...RUN_PACKAGES, ...TEST_PACKAGES].filter(
      (name) => !page.includes(`\`${name}\``) && !page.includes(`\`${name.replace(/^gstreamer1\.0-plugins/, '')}\``),
    );
    expect(missing).toEqual([]);
  });
});

describe('docs/protocol.md', () => {
  const page = read('docs/protocol.md');

  it('names the topics and limits of protocol/stream.ts', () => {
    for (const topic of [topics.events('R', 'alert'), topics.ack('R'), topics.state('R'), topics.snapshot('R', 'C')]) {
      expect(parseTopic(topic)).toBeDefined();
      const written = topic
        .replace('/R/', '/<room>/')
        .replace(/\/C$/, '/<camera>')
        .replace(/\/alert$/, '/<lane>');
      expect(page).toContain(`\`${written}\``);
    }
    expect(page).toContain(topics.ingestFilter);
    expect(page).toContain(`| events in a batch | ${LIMITS.batchEvents} |`);
    expect(page).toContain(`| unacked events of a stream | ${LIMITS.windowEvents} |`);
    expect(page).toContain(`| bytes of one event | ${LIMITS.eventBytes / 1024} KiB |`);
    expect(page).toContain(`| bytes of a batch | ${LIMITS.batchBytes / 1024 ** 2} MiB |`);
    expect(page).toContain(`| bytes of a snapshot | ${LIMITS.snapshotBytes / 1024} KiB |`);
    expect(page).toContain(`| bytes of a room state | ${LIMITS.stateBytes / 1024} KiB |`);
  });
});

describe('every page', () => {
  it.each(PAGES)('%s links and names only files that exist', (path) => {
    const page = read(path);
    const linked = [...page.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, target]) =>
      join(ROOT, dirname(path), target!),
    );
    const named = [...page.matchAll(/`((?:protocol|hardware|models|agent|cloud|scripts|test|docs)\/[\w./-]+)`/g)].map(
      ([, target]) => join(ROOT, target!),
    );
    expect([...linked, ...named].filter((file) => !existsSync(file))).toEqual([]);
  });
});
