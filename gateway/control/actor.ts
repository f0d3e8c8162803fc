import type { ControlCall } from './handler.js';

/**
 * Who is answerable for an act: the person who signed in, or the system where no person did. Maker and checker
 * are compared by this name.
 */
export function actorOf({ user, system }: ControlCall['caller']): string {
  return user ?? system;
}
