import { agencyRoutes } from './agencies/routes.js';
import { auditRoutes } from './audit/routes.js';
import { calendarRoutes } from './calendar/routes.js';
import type { ControlContext, ControlHandlers } from './handler.js';
import { documentRoutes } from './documents/routes.js';
import { legalBasisRoutes } from './legal-bases/routes.js';
import { meRoutes } from './me/routes.js';
import { serviceRoutes } from './services/routes.js';
import { sharingRoutes } from './sharing/routes.js';
import { systemRoutes } from './systems/routes.js';

/** Every operation of `openapi.yaml`, by its id; one room for each noun. */
export function createControl(context: ControlContext): ControlHandlers {
  return {
    ...agencyRoutes(context),
    ...systemRoutes(context),
    ...serviceRoutes(context),
    ...auditRoutes(context),
    ...documentRoutes(context),
    ...legalBasisRoutes(context),
    ...calendarRoutes(context),
    ...sharingRoutes(context),
    ...meRoutes(context),
  };
}
