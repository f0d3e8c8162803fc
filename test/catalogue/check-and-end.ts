import { readFileSync } from 'node:fs';
import { checkInThread } from '../../gateway/catalogue/check-thread.js';

/** Checks a document in a process of its own, which has nothing left to do then. */
const { faults } = await checkInThread(readFileSync(0, 'utf8'));
process.stdout.write(`${faults.length} faults\n`);
