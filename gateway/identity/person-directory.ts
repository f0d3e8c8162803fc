/** A person as the authorization server sees them. */
export interface Account {
  readonly id: string;
  /** Code of the agency they belong to. */
  readonly agency: string;
  readonly name: string;
  /** Whether they may act now: active, within their dates, of an agency in force. */
  readonly inForce: boolean;
}

/** Where the authorization server asks for people, whenever it gives something to one of them. */
export interface PersonDirectory {
  find(id: string): Account | undefined;
}
