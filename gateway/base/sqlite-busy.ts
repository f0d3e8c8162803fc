/** Somebody else holds SQLite's file: its one write lock, or all of it while it is made. */
export function isSqliteBusy(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && code.startsWith('SQLITE_BUSY');
}
