/** The boxes that may speak: until when, whether one was copied; a code for another one, and the end of one. */
import { useCallback, useEffect, useState } from 'preact/hooks';
import type { DeviceCodeView, DevicesView } from '../../http/api.ts';
import type { Refusal } from '../state/client.ts';
import { useDesk } from '../state/desk.ts';
import { RoomTime } from './marks.tsx';
import { Loading, RefusedLine, useRefusal } from './states.tsx';
import { useWords } from './use.ts';

type Box = DevicesView['devices'][number];

export function Boxes() {
  const desk = useDesk();
  const { t } = useWords();
  const words = useRefusal();
  const [boxes, setBoxes] = useState<readonly Box[]>();
  const [code, setCode] = useState<DeviceCodeView>();
  const [wrong, setWrong] = useState<string>();
  const [refusal, setRefusal] = useState<Refusal>();
  const room = desk.plates.value.values().next().value;

  const load = useCallback(async () => {
    const answer = await desk.client.devices();
    if (answer.ok) setBoxes(answer.value.devices);
    setRefusal(answer.ok ? undefined : answer.refusal);
  }, [desk]);
  useEffect(() => void load(), [load]);

  async function offer(form: HTMLFormElement): Promise<void> {
    const fields = new FormData(form);
    const answer = await desk.client.deviceCode(String(fields.get('deviceId')), String(fields.get('roomId')));
    setCode(answer.ok ? answer.value : undefined);
    setWrong(answer.ok ? undefined : words(answer.refusal));
    if (answer.ok) form.reset();
  }
  async function revoke(deviceId: string): Promise<void> {
    const answer = await desk.client.revokeDevice(deviceId);
    setWrong(answer.ok ? undefined : words(answer.refusal));
    await load();
  }

  const may = desk.mayAct();
  if (!boxes)
    return (
      <article class="device boxes">
        <header>
          <h2>{t('boxes')}</h2>
        </header>
        {refusal ? <RefusedLine refusal={refusal} onRetry={() => void load()} /> : <Loading />}
      </article>
    );
  return (
    <article class="device boxes">
      <header>
        <h2>{t('boxes')}</h2>
        <span class="small">{t('boxesNote')}</span>
      </header>
      {refusal && <RefusedLine refusal={refusal} onRetry={() => void load()} />}
      <div class="boxes-table">
        <table>
          <thead>
            <tr>
              <th scope="col">{t('box')}</th>
              <th scope="col">{t('boxRoom')}</th>
              <th scope="col">{t('boxUntil')}</th>
              <th scope="col">{t('fault')}</th>
              <th scope="col" />
            </tr>
          </thead>
          <tbody>
            {boxes.map((box) => (
              <tr key={box.deviceId} data-device-id={box.deviceId}>
                <th scope="row">{box.deviceId}</th>
                <td>{box.roomId}</td>
                <td>
                  {box.certificate ? <RoomTime wallMs={box.certificate.notAfterWallMs} room={room} /> : t('boxSecret')}
                </td>
                <td>
                  {box.fault ? (
                    <span class="fault" title={box.fault.words}>
                      {t('boxCloned')} <RoomTime wallMs={box.fault.wallMs} room={room} />
                    </span>
                  ) : (
                    '–'
                  )}
                </td>
                <td class="num">{may && <Revoke onRevoke={() => void revoke(box.deviceId)} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <form
        hidden={!may}
        class="boxes-code"
        onSubmit={(event) => {
          event.preventDefault();
          void offer(event.currentTarget);
        }}
      >
        <label>
          <span>{t('box')}</span>
          <input name="deviceId" required maxLength={64} pattern="[A-Za-z0-9_\-]+" />
        </label>
        <label>
          <span>{t('boxRoom')}</span>
          <input name="roomId" required maxLength={64} pattern="[A-Za-z0-9_\-]+" />
        </label>
        <button type="submit" class="button">
          {t('boxCode')}
        </button>
      </form>
      {wrong && <p role="alert">{wrong}</p>}
      {code && (
        <p role="status">
          {t('boxCodeFor', { box: code.deviceId })}
          <output class="boxes-word">{code.code}</output>
          {t('boxCodeUntil')} <RoomTime wallMs={code.expiresWallMs} room={room} />
        </p>
      )}
    </article>
  );
}

/** Two steps, since there is no way back. */
function Revoke({ onRevoke }: { onRevoke: () => void }) {
  const { t } = useWords();
  const [sure, setSure] = useState(false);
  if (!sure)
    return (
      <button type="button" class="button" onClick={() => setSure(true)}>
        {t('boxRevoke')}
      </button>
    );
  return (
    <>
      <button type="button" class="button" onClick={() => setSure(false)}>
        {t('boxKeep')}
      </button>{' '}
      <button type="button" class="button primary" onClick={onRevoke}>
        {t('boxRevokeSure')}
      </button>
    </>
  );
}
