/** What ends a command: its message is for the person at the keyboard, its exit code for scripts. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  /** 1: it did not hold · 2: it was asked wrongly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}
