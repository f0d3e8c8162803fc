import { register } from 'node:module';

/**
 * Takes the log out of a gateway that is measured: the product itself has no way to run without one. Given with `--import`,
 * it puts `no-recorder.ts` where the gateway would load its recorder. No TypeScript: its threads are given it too, and no loader
 * reaches their first module.
 */
const NO_RECORDER = new URL('./no-recorder.ts', import.meta.url).href;
const HOOK = `export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  return found.url.endsWith('/dist/gateway/audit/recorder.js') ? { ...found, url: ${JSON.stringify(NO_RECORDER)} } : found;
}`;
register(`data:text/javascript,${encodeURIComponent(HOOK)}`);
