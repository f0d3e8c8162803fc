import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../gateway/base/package-root.js';

/** The folder with the sample's YAML and JSON files; the compiler copies none of them to `dist`. */
export const SAMPLE_FOLDER = join(PACKAGE_ROOT, 'examples', 'lai-chau');
