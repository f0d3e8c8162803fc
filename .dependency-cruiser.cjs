/** Imports only descend, and rooms on one step never see each other. */
const STEPS = [
  ['^gateway/base/', '^connectors/'],
  ['^gateway/store/', '^migrations/'],
  ['^gateway/audit/', '^gateway/identity/', '^gateway/catalogue/'],
  [
    '^gateway/control/[^/]+/',
    '^gateway/control/[^/]+\\.ts$',
    '^gateway/outbox/',
    '^gateway/witness/',
    '^gateway/feed/',
    '^gateway/security/',
  ],
  ['^gateway/portal/', '^gateway/schedule/'],
  ['^gateway/sign-in/'],
  ['^gateway/pipeline/'],
  ['^gateway/http/'],
  ['^gateway/wiring/'],
  ['^gateway/main\\.ts$'],
  ['^gateway/cli/'],
];

const above = (step) => STEPS.slice(step + 1).flat();

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-orphans',
      severity: 'error',
      from: { orphan: true, pathNot: '\\.d\\.ts$|^schemas/|^gateway/portal/assets/' },
      to: {},
    },
    ...STEPS.slice(0, -1).map((paths, step) => ({
      name: `step-${step}-only-descends`,
      severity: 'error',
      from: { path: paths },
      to: { path: above(step) },
    })),
    {
      name: 'base-knows-nobody',
      severity: 'error',
      from: { path: '^gateway/base/' },
      to: { path: ['^connectors/', '^gateway/(?!base/)', '^migrations/'] },
    },
    {
      name: 'connectors-know-base-only',
      severity: 'error',
      from: { path: '^connectors/' },
      to: { path: '^gateway/(?!base/)' },
    },
    {
      name: 'audit-is-alone',
      severity: 'error',
      from: { path: '^gateway/audit/' },
      to: { path: '^gateway/(identity|catalogue)/|^connectors/' },
    },
    {
      name: 'identity-is-alone',
      severity: 'error',
      from: { path: '^gateway/identity/' },
      to: { path: '^gateway/(audit|catalogue)/|^connectors/' },
    },
    {
      name: 'catalogue-is-alone',
      severity: 'error',
      from: { path: '^gateway/catalogue/' },
      to: { path: '^gateway/(audit|identity)/' },
    },
    {
      name: 'outbox-is-alone',
      severity: 'error',
      from: { path: '^gateway/outbox/' },
      to: { path: '^gateway/(control|catalogue|audit)/' },
    },
    {
      name: 'witness-is-alone',
      severity: 'error',
      from: { path: '^gateway/witness/' },
      to: { path: '^gateway/(control|catalogue|identity|outbox|feed|security)/' },
    },
    {
      name: 'feed-is-alone',
      severity: 'error',
      from: { path: '^gateway/feed/' },
      to: { path: '^gateway/(control|catalogue|identity|outbox|security|witness)/' },
    },
    {
      name: 'security-is-alone',
      severity: 'error',
      from: { path: '^gateway/security/' },
      to: { path: '^gateway/(control|catalogue|identity|outbox|feed|witness)/|^connectors/' },
    },
    {
      name: 'control-sends-nothing',
      severity: 'error',
      from: { path: '^gateway/control/' },
      to: { path: '^gateway/(outbox|feed|witness)/' },
    },
    {
      name: 'nouns-never-see-each-other',
      severity: 'error',
      from: { path: '^gateway/control/([^/]+)/' },
      to: { path: '^gateway/control/[^/]+/', pathNot: '^gateway/control/$1/' },
    },
    {
      name: 'examples-stand-outside',
      severity: 'error',
      from: { path: '^(gateway|connectors|migrations)/' },
      to: { path: '^(examples|test|bench)/' },
    },
    { name: 'nothing-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-development-packages',
      severity: 'error',
      from: { path: '^(gateway|connectors|migrations)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
