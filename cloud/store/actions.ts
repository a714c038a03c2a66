/** An action's row as the pages see it: what a person did about an alert. */
import type { ActionKind, ActionView } from '../http/api.ts';

export interface ActionRow {
  readonly action_id: string;
  readonly episode_id: string;
  readonly kind: string;
  readonly user_name: string;
  readonly wall_ms: number;
  readonly note: string | null;
}

/** The stored row as the page sees it. */
export function actionView(row: ActionRow): ActionView {
  return {
    actionId: row.action_id,
    episodeId: row.episode_id,
    kind: row.kind as ActionKind,
    userName: row.user_name,
    wallMs: row.wall_ms,
    ...(row.note === null ? {} : { note: row.note }),
  };
}
