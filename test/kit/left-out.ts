/** Real servers join a run when their address is set; a run says which did not. */
const SERVERS: Readonly<Record<string, string>> = {
  LGSP_TEST_POSTGRES_URL: 'PostgreSQL',
  LGSP_TEST_MYSQL_URL: 'MariaDB/MySQL',
  LGSP_TEST_REDIS_URL: 'Redis',
  LGSP_TEST_CHROMIUM: 'Chromium',
};

export const mochaHooks = {
  afterAll(): void {
    const missing = Object.entries(SERVERS).filter(([variable]) => (process.env[variable] ?? '') === '');
    if (missing.length === 0) return;
    const names = missing.map(([variable, name]) => `${name} (${variable})`).join(', ');
    process.stdout.write(`\n  left out, because their address is not set: ${names}\n`);
  },
};
