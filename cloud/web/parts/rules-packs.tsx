/** Left of the rule page: packs by name with their versions, newest first, and in how many rooms each is running. */
import type { PackName, PackVersionView, RulesView } from '../../http/rules-api.ts';
import { useDesk } from '../state/desk.ts';
import { type Draft, nameText, sameName } from '../state/rules-draft.ts';
import { sayRules } from '../words/rules.ts';
import { clockTime } from '../words/time.ts';
import { PHONE, useMedia, useWords } from './use.ts';

export function RulesPacks(props: {
  readonly view: RulesView;
  readonly chosen: PackName;
  readonly draft: Draft | undefined;
  readonly onChoose: (name: PackName) => void;
}) {
  const { view, chosen, draft, onChoose } = props;
  const desk = useDesk();
  const { lang } = useWords();
  const phone = useMedia(PHONE);
  const groups = Map.groupBy(view.versions, ({ name }) => name);
  const live = desk.feed.value?.rooms;
  const running = (version: PackVersionView) =>
    view.rooms.filter((room) => sameName(live?.get(room.roomId)?.state?.rulePack ?? room.running, version)).length;
  // What people of this house made comes before what came with the product.
  const sorted = [...groups.values()].sort(
    (a, b) => Number(a[0]!.builtIn) - Number(b[0]!.builtIn) || a[0]!.name.localeCompare(b[0]!.name),
  );
  const list = (
    <>
      {sorted.map((versions) => (
        <section key={versions[0]!.name} class="rules-group">
          <h3>
            {lang === 'zh' ? versions[0]!.title.zh : versions[0]!.title.en}
            {versions[0]!.builtIn && <span class="small">{sayRules(lang, 'builtIn')}</span>}
          </h3>
          <ul>
            {versions.map((version) => {
              const rooms = running(version);
              return (
                <li key={version.version}>
                  <button
                    type="button"
                    class="rules-pack"
                    data-pack={nameText(version)}
                    aria-current={sameName(version, chosen) ? 'true' : undefined}
                    title={version.note}
                    onClick={() => onChoose(version)}
                  >
                    <span class="rules-pack-name">{nameText(version)}</span>
                    {sameName(draft?.base, version) && <span class="tag rules-draft">{sayRules(lang, 'draft')}</span>}
                    {rooms > 0 && <span class="tag">{sayRules(lang, 'inRooms', { n: rooms })}</span>}
                    <span class="small rules-pack-by">
                      {version.builtIn
                        ? sayRules(lang, 'phraseCount', { n: version.phrases })
                        : sayRules(lang, 'by', {
                            who: version.madeBy,
                            time: clockTime(version.madeWallMs, 'Asia/Shanghai', desk.nowMs(), lang),
                          })}
                      {version.note ? ` · ${version.note}` : ''}
                    </span>
                  </button>
                </li>
              );
            })}
          </ul>
        </section>
      ))}
      <p class="small rules-key">{sayRules(lang, 'key', { id: view.keyId })}</p>
    </>
  );
  return (
    <aside class="rules-packs" aria-label={sayRules(lang, 'packs')}>
      {phone ? (
        // The list would push what it is about out of sight.
        <details>
          <summary>
            <h2>{sayRules(lang, 'packs')}</h2>
            <span class="small">{nameText(chosen)}</span>
          </summary>
          {list}
        </details>
      ) : (
        <>
          <h2>{sayRules(lang, 'packs')}</h2>
          {list}
        </>
      )}
    </aside>
  );
}
