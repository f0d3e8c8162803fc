import { once } from 'node:events';
import { migrate, openDatabase } from '../../gateway/store/database.js';

// A process that does nothing but migrate, when it is told; it prints the steps that it took.
process.stdin.on('close', () => process.exit(1));
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const [dataDir = '', databaseUrl] = process.argv.slice(2);
const database = openDatabase({ dataDir, databaseUrl });
const steps = await migrate(database);
await database.close();
process.stdout.write(`${JSON.stringify(steps)}\n`);
process.exit(0);
