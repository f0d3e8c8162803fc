import type { Engine } from '../../store/database.js';
import { COLUMN_NAMES, type Columns } from '../columns.js';

// One text crosses from the database faster than a dozen values.
const BETWEEN = '\u001f';
const NOTHING = '\u001e';

/** SQL for all columns of a record as one text. */
export function joinedColumnsSql(engine: Engine): string {
  const [char, text] = engine === 'postgres' ? ['chr', '::text'] : ['char', ''];
  const parts = COLUMN_NAMES.map((name) => `coalesce("${name}"${text}, ${char}(30))`);
  return parts.join(` || ${char}(31) || `);
}

/** The same text of what the record says. No column holds a separator (`clip`), so equal texts are equal columns. */
export function joinColumns(columns: Columns): string {
  return COLUMN_NAMES.map((name) => columns[name] ?? NOTHING).join(BETWEEN);
}

/** One column of a joined text; undefined when it has none of that name. */
export function columnOf(joined: string, name: keyof Columns): string | undefined {
  return joined.split(BETWEEN)[COLUMN_NAMES.indexOf(name)];
}

/** The first column in which two joined texts differ. */
export function columnThatDiffers(expected: string, stored: string): string {
  const [wanted, found] = [expected.split(BETWEEN), stored.split(BETWEEN)];
  return COLUMN_NAMES.find((_, i) => wanted[i] !== found[i]) ?? 'id';
}
