import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A source whose one answer can be changed, and held back while something else happens. */
export class RegisterSource {
  readonly url: string;
  answer: { status: number; type: string; body: string };
  calls = 0;
  #held: ServerResponse[] | null = null;
  readonly #close: () => Promise<void>;

  private constructor(url: string, body: string, close: () => Promise<void>) {
    this.url = url;
    this.answer = { status: 200, type: 'application/json', body };
    this.#close = close;
  }

  static async start(body: string): Promise<RegisterSource> {
    let source: RegisterSource | null = null;
    const server = createServer((_request, response) => source?.meet(response));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    source = new RegisterSource(
      url,
      body,
      () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    );
    return source;
  }

  meet(response: ServerResponse): void {
    this.calls += 1;
    if (this.#held === null) this.#send(response);
    else this.#held.push(response);
  }

  /** From now on callers wait, until `release`. */
  hold(): void {
    this.#held = [];
  }

  get waiting(): number {
    return this.#held?.length ?? 0;
  }

  release(): void {
    const held = this.#held ?? [];
    this.#held = null;
    for (const response of held) this.#send(response);
  }

  close(): Promise<void> {
    return this.#close();
  }

  #send(response: ServerResponse): void {
    const { status, type, body } = this.answer;
    response.writeHead(status, { 'content-type': type, etag: '"whole"' });
    response.end(body);
  }
}
