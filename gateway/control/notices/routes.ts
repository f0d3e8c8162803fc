import type { ControlContext, ControlHandlers } from '../handler.js';
import * as channels from './channels.js';
import * as deliveries from './deliveries.js';
import * as inbox from './inbox.js';

/** Notices: the inbox, the channels of the agencies, and what is still on its way. */
export function noticeRoutes(context: ControlContext): ControlHandlers {
  return {
    listNotices: (call) => inbox.list(context, call),
    getNotice: (call) => inbox.get(context, call),
    markNoticeRead: (call) => inbox.read(context, call),
    markAllNoticesRead: (call) => inbox.readAll(context, call),
    listChannels: (call) => channels.list(context, call),
    createChannel: (call) => channels.create(context, call),
    getChannel: (call) => channels.get(context, call),
    updateChannel: (call) => channels.update(context, call),
    deleteChannel: (call) => channels.remove(context, call),
    testChannel: (call) => channels.test(context, call),
    listDeliveries: (call) => deliveries.list(context, call),
    retryDelivery: (call) => deliveries.again(context, call),
  };
}
