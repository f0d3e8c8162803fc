import assert from 'node:assert/strict';
import { SAMPLE_FOLDER } from '../../examples/lai-chau/folder.js';
import { sampleValues } from '../../examples/lai-chau/services.js';
import { loadTree } from '../../gateway/cli/tree.js';
import { TRANSITIONS } from '../../gateway/control/sharing/transitions.js';
import { REQUEST_STATES } from '../../gateway/store/sharing-requests.js';

const apiKeys = { 'mot-cua': 'a', 'doanh-nghiep': 'b', 'thu-nghiem': 'c' };
const ports = { 'mot-cua': 1, 'doanh-nghiep': 2, 'thu-nghiem': 3 };

describe('the sharing requests of the sample', () => {
  const { sharingRequests = [] } = loadTree(
    SAMPLE_FOLDER,
    sampleValues({ administrativeUnits: 'a', agencyList: 'b', ports, apiKeys }),
  );

  it('stand in every state that the table of steps leads to; one of the active ones expires at the start', () => {
    const reached = new Set(Object.values(TRANSITIONS).map(({ to }) => to as string));
    assert.deepEqual([...reached, 'draft'].sort(), [...REQUEST_STATES].sort());
    const shown = new Set(sharingRequests.map(({ state }) => state as string));
    const ending = sharingRequests.find(({ system }) => system === 'thanh-tra-khai-thac');
    assert.equal(ending?.state, 'active', 'the one whose term start.ts ends');
    assert.deepEqual([...shown, 'expired'].sort(), [...REQUEST_STATES].sort());
  });
});
