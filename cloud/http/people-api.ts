/** Beside api.ts: people of the desk as the pages see them, and what the routes about them take. */
import type { UserView } from './api.ts';

/** `viewer`: a regulator or trainee, who may look at everything and change nothing. */
export const ROLES = ['supervisor', 'viewer'] as const;
export type PersonRole = (typeof ROLES)[number];

/** Longest name of a person, shortest and longest password, in characters. */
export const PERSON_NAME_MAX = 64;
export const PASSWORD_MIN = 8;
export const PASSWORD_MAX = 1000;

export interface PersonView extends UserView {
  readonly addedWallMs: number;
  readonly lastLoginWallMs?: number;
  /** May not log in. */
  readonly disabledWallMs?: number;
  /** Has never chosen a password. */
  readonly invited: boolean;
  /** Until when a one-time link of this person is good; absent: none is out. */
  readonly linkExpiresWallMs?: number;
}

/** `GET /api/people`: supervisors only. */
export interface PeopleView {
  readonly people: readonly PersonView[];
}
/** `POST /api/people`: 409 `name_taken`. Answers PersonLinkView. */
export interface AddPersonRequest {
  readonly name: string;
  readonly role: PersonRole;
}
/**
 * A one-time link, shown once: `token` goes behind `#invite=` of the page's address. `POST /api/people/:userId/link` gives a new
 * one, also to somebody who has lost the password; `…/disable` and `…/enable` answer PersonView.
 */
export interface PersonLinkView {
  readonly person: PersonView;
  readonly token: string;
  readonly expiresWallMs: number;
}

/** `POST /api/invitation` {token}: whose link it is. `POST /api/invitation/accept`: chooses the password, and begins a session. */
export interface InvitationView {
  readonly name: string;
  readonly role: PersonRole;
}
export interface AcceptRequest {
  readonly token: string;
  readonly password: string;
}
/** `POST /api/password`: the own one; every other session of the person ends. */
export interface PasswordRequest {
  readonly password: string;
  readonly next: string;
}
