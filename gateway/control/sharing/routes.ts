import type { TakeOffList } from '../change.js';
import type { ControlContext, ControlHandlers } from '../handler.js';
import * as accounts from './accounts.js';
import { act } from './acting.js';
import * as defaultList from './default-list.js';
import * as difficulties from './difficulties.js';
import * as grantUse from './grant-use.js';
import * as grants from './grants.js';
import * as reviews from './reviews.js';
import * as requests from './requests.js';
import { actOnGrant, subscribe } from './subscriptions.js';
import { runTest } from './testing.js';

/** Sharing: who asks for what, what became of it, and the grants that calls rest on. */
export function sharingRoutes(context: ControlContext, takeOffList: TakeOffList): ControlHandlers {
  return {
    listSharingRequests: (call) => requests.list(context, call),
    createSharingRequest: (call) => requests.create(context, call),
    getSharingRequest: (call) => requests.get(context, call),
    updateSharingRequest: (call) => requests.update(context, call),
    getSharingTransitions: () => requests.table(),
    takeSharingStep: (call) => act(context, call),
    doSharingTask: (call) => requests.doTask(context, call),
    testSharingRequest: (call) => runTest(context, call),
    getNarrowedAnswers: (call) => requests.narrowed(context, call),
    listDifficulties: (call) => difficulties.list(context, call),
    raiseDifficulty: (call) => difficulties.raise(context, call),
    getDifficulty: (call) => difficulties.get(context, call),
    settleDifficulty: (call) => difficulties.settle(context, call),
    listGrants: (call) => grants.list(context, call),
    listGrantUse: (call) => grantUse.listUse(context, call),
    getGrantUse: (call) => grantUse.use(context, call),
    listGrantReviews: (call) => reviews.list(context, call),
    answerGrantReview: (call) => reviews.answer(context, call),
    getGrant: (call) => grants.get(context, call),
    setGrantQuota: (call) => grants.setQuota(context, call),
    amendGrant: (call) => grants.amend(context, call),
    takeGrantStep: (call) => actOnGrant(context, call),
    subscribe: (call) => subscribe(context, call),
    listAccountRequests: (call) => accounts.list(context, call),
    createAccountRequest: (call) => accounts.create(context, call),
    getAccountRequest: (call) => accounts.get(context, call),
    decideAccountRequest: (call) => accounts.decide(context, call),
    getDefaultList: (call) => defaultList.list(context, call),
    reviewDefaultService: (call) => defaultList.review(context, call, takeOffList),
  };
}
