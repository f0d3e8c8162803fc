/** Run by a test as a process of its own: everything that one token needs, and one word at the end. */
import { embedded } from '../kit/databases.js';
import { basic, GRANT, Register, secretCredential, startIdentityNode } from './identity-node.js';

const test = await embedded.create();
const register = new Register();
register.add('app', { credentials: [secretCredential('s', 'hush')] });
const node = await startIdentityNode({ database: test.database, clients: register });
const good = await node.token(GRANT, { ...basic('app', 'hush'), origin: 'https://elsewhere.example' });
const bad = await node.token({}, { accept: 'text/html' });
if (good.status === 400 && bad.status === 400 && (await node.token(GRANT, basic('app', 'hush'))).ok) {
  process.stdout.write('done\n');
}
await node.close();
await test.drop();
