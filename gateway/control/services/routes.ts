import type { ControlContext, ControlHandlers } from '../handler.js';
import { consumers } from './consumers.js';
import { deprecate, undeprecate } from './deprecation.js';
import { comparison } from './gate.js';
import { document, get, list, manifest, revisions } from './reading.js';
import { decide, publish } from './states.js';
import { check, create, saveDraft } from './writing.js';

/** Services: drafts, checks, and what is in force. */
export function serviceRoutes(context: ControlContext): ControlHandlers {
  return {
    listServices: (call) => list(context, call),
    createService: (call) => create(context, call),
    checkService: (call) => check(context, call),
    getService: (call) => get(context, call),
    getServiceManifest: (call) => manifest(context, call),
    getServiceDocument: (call) => document(context, call),
    listServiceRevisions: (call) => revisions(context, call),
    saveServiceDraft: (call) => saveDraft(context, call),
    publishService: (call) => publish(context, call),
    suspendService: (call) => decide(context, call, 'suspend'),
    resumeService: (call) => decide(context, call, 'resume'),
    retireService: (call) => decide(context, call, 'retire'),
    deprecateService: (call) => deprecate(context, call),
    undeprecateService: (call) => undeprecate(context, call),
    compareService: (call) => comparison(context, call),
    getServiceConsumers: (call) => consumers(context, call),
  };
}
