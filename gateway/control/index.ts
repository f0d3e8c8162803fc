import { agencyRoutes } from './agencies/routes.js';
import { accessExecutor } from './break-glass/executor.js';
import { breakGlassRoutes } from './break-glass/routes.js';
import { changeRequestRoutes } from './change-requests/routes.js';
import { auditRoutes } from './audit/routes.js';
import { calendarRoutes } from './calendar/routes.js';
import type { ControlContext, ControlHandlers } from './handler.js';
import { documentRoutes } from './documents/routes.js';
import { legalBasisRoutes } from './legal-bases/routes.js';
import { meRoutes } from './me/routes.js';
import { personRoutes } from './people/routes.js';
import { serviceExecutors } from './services/executors.js';
import { takeOffList } from './services/reshared.js';
import { noticeRoutes } from './notices/routes.js';
import { serviceRoutes } from './services/routes.js';
import { securityEventRoutes } from './security-events/routes.js';
import { sharingRoutes } from './sharing/routes.js';
import { subjectRoutes } from './subjects/routes.js';
import { systemRoutes } from './systems/routes.js';

/** Every operation of `openapi.yaml`, by its id; one room for each noun. */
export function createControl(context: ControlContext): ControlHandlers {
  return {
    ...agencyRoutes(context),
    ...systemRoutes(context),
    ...personRoutes(context),
    ...serviceRoutes(context),
    ...changeRequestRoutes(context, {
      ...serviceExecutors(context),
      'service.access': accessExecutor(context),
    }),
    ...breakGlassRoutes(context),
    ...auditRoutes(context),
    ...securityEventRoutes(context),
    ...subjectRoutes(context),
    ...documentRoutes(context),
    ...legalBasisRoutes(context),
    ...calendarRoutes(context),
    ...sharingRoutes(context, takeOffList),
    ...meRoutes(context),
    ...noticeRoutes(context),
  };
}
