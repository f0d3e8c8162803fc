import assert from 'node:assert/strict';
import { createServer as createPlain } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { type Connector, SourceError } from '../../../connectors/connector.js';
import { call, forever } from '../context.js';
import { httpConnector } from './make.js';

// Made for this test and worth nothing anywhere else: CN=localhost, a hundred years.
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZs3enb1VtjnYd5f4
rwKCMywJDtMFoWt/0b/viK7TaO2hRANCAARkyoV4OHwqe/6pg82na7VH/Gz0Ohe/
eebarpgcXbOMy2t6VjxIGUiZx/dExGWrzomWe8A649y+3Xx9NRqWxeAW
-----END PRIVATE KEY-----`;
const cert = `-----BEGIN CERTIFICATE-----
MIIBlTCCATugAwIBAgIULlFlArgp6acpPQ8fdUcq2VoHWIIwCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMzIzMjQyNFoYDzIxMjYxMDMw
MjMyNDI0WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAARkyoV4OHwqe/6pg82na7VH/Gz0Ohe/eebarpgcXbOMy2t6VjxIGUiZ
x/dExGWrzomWe8A649y+3Xx9NRqWxeAWo2kwZzAdBgNVHQ4EFgQUwc4Kfv0+n1Wd
2aF2kJZTgMJY5eMwHwYDVR0jBBgwFoAUwc4Kfv0+n1Wd2aF2kJZTgMJY5eMwDwYD
VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglsb2NhbGhvc3QwCgYIKoZIzj0EAwID
SAAwRQIgF9p1hjW08jWt0Rvvm/YolxcqvYz+ODdN0CKFt+NV5a8CIQChCm04f5XE
+jF9pLh1qIwRXA80zArUBndX/EPPODmSng==
-----END CERTIFICATE-----`;

describe('http connector: TLS', () => {
  let server: Server;
  let port = 0;
  let connector: Connector | null = null;
  before(async () => {
    server = createServer({ key, cert }, (_request, response) => response.end('{}'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ({ port } = server.address() as AddressInfo);
  });
  after((done) => {
    server.closeAllConnections();
    server.close(done);
  });
  afterEach(() => connector?.close());

  const unreachable = (error: unknown): boolean =>
    error instanceof SourceError && error.fault === 'unreachable';

  it('believes the authority that the settings name', async () => {
    connector = httpConnector(`https://localhost:${port}`, { settings: { tls: { ca: cert } } });
    assert.equal((await connector.call(call(), forever())).status, 200);
  });

  it('does not believe a certificate that nobody vouches for', async () => {
    connector = httpConnector(`https://localhost:${port}`);
    await assert.rejects(connector.call(call(), forever()), unreachable);
  });

  it('does not believe a certificate of another name', async () => {
    connector = httpConnector(`https://127.0.0.1:${port}`, { settings: { tls: { ca: cert } } });
    await assert.rejects(connector.call(call(), forever()), unreachable);
  });

  it('is unreachable when the source does not speak TLS', async () => {
    const plain = createPlain();
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    connector = httpConnector(`https://localhost:${(plain.address() as AddressInfo).port}`);
    await assert.rejects(connector.call(call(), forever()), unreachable);
    await new Promise((resolve) => plain.close(resolve));
  });
});
