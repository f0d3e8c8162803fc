import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { TreePerson } from '../../gateway/cli/tree-people.js';
import type { TreeAgency, TreeSystem } from '../../gateway/cli/tree.js';
import { SAMPLE_FOLDER } from './folder.js';

const read = (name: string): unknown => parse(readFileSync(join(SAMPLE_FOLDER, name), 'utf8'));

/** The agencies of `agencies.yaml`, a parent always before its children; `lgsp apply` checks the form. */
export function sampleAgencies(): readonly TreeAgency[] {
  return read('agencies.yaml') as TreeAgency[];
}

/** The systems of `systems.yaml`; their secrets and keys are made at the first start. */
export function sampleSystems(): readonly Pick<TreeSystem, 'id' | 'agency' | 'roles' | 'auth'>[] {
  return read('systems.yaml') as TreeSystem[];
}

/** The people of `people.yaml`; their passwords are made at the first start. */
export function samplePeople(): readonly (Pick<TreePerson, 'id' | 'agency' | 'roles'> & {
  readonly state?: TreePerson['state'];
})[] {
  return read('people.yaml') as TreePerson[];
}
