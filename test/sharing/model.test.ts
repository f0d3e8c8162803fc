import assert from 'node:assert/strict';
import fc from 'fast-check';
import { engines } from '../kit/databases.js';
import { allRecords, eventually } from '../kit/gateway.js';
import { PAPER } from '../kit/province.js';
import { AGREEMENT, CONTENT, Province, SERVICE } from './province.js';

const DAY = 86_400_000;
const BASIS = '491-qd-ubnd#d3.6';

type Client = 'nguoi-lap' | 'cung-cap' | 'quan-ly' | 'van-hanh' | 'ke-la';
type State =
  | 'none'
  | 'draft'
  | 'submitted'
  | 'in_review'
  | 'needs_changes'
  | 'refused'
  | 'withdrawn'
  | 'agreed'
  | 'preparing'
  | 'testing'
  | 'active'
  | 'suspended'
  | 'expired'
  | 'terminated';

/** What ought to be so, written down a second time and simply: no code of the gateway is asked. */
interface Model {
  state: State;
  id: string;
  /** Steps that were taken, `expire` included. */
  steps: number;
  flags: Set<Client>;
  tasksDone: boolean;
  tested: boolean;
  tried: boolean;
  from: number;
  until: number;
  /** By grant and day: a clock that is set back finds the calls of that day again. */
  calls: Map<string, number>;
  grants: number;
  perDay: number;
  readonly seen: Set<State>;
}

const PAPERS: Readonly<Record<Client, string>> = {
  'nguoi-lap': 'vb-61',
  'cung-cap': 'vb-12',
  'quan-ly': PAPER,
  'van-hanh': PAPER,
  'ke-la': 'vb-62',
};

/** step → who may, from where, where to. */
const WAYS: Readonly<Record<string, readonly [readonly Client[], readonly State[], State]>> = {
  submit: [['nguoi-lap'], ['draft'], 'submitted'],
  take: [['cung-cap'], ['submitted'], 'in_review'],
  ask_changes: [['cung-cap'], ['in_review'], 'needs_changes'],
  resubmit: [['nguoi-lap'], ['needs_changes'], 'in_review'],
  refuse: [['cung-cap'], ['submitted', 'in_review'], 'refused'],
  withdraw: [['nguoi-lap'], ['draft', 'submitted', 'in_review', 'needs_changes'], 'withdrawn'],
  agree: [['cung-cap'], ['in_review'], 'agreed'],
  return: [['quan-ly'], ['agreed'], 'in_review'],
  approve: [['quan-ly'], ['agreed'], 'preparing'],
  begin_testing: [['cung-cap', 'quan-ly', 'van-hanh'], ['preparing'], 'testing'],
  prepare_again: [['cung-cap', 'quan-ly', 'van-hanh'], ['testing'], 'preparing'],
  activate: [['cung-cap', 'quan-ly', 'van-hanh'], ['testing'], 'active'],
  suspend: [['nguoi-lap', 'cung-cap', 'quan-ly', 'van-hanh'], ['active', 'suspended'], 'suspended'],
  resume: [['nguoi-lap', 'cung-cap', 'quan-ly', 'van-hanh'], ['suspended'], 'active'],
  terminate: [['nguoi-lap', 'cung-cap', 'quan-ly', 'van-hanh'], ['active', 'suspended'], 'terminated'],
};

const sideOf = (client: Client): Client => (client === 'van-hanh' ? 'quan-ly' : client);

/** What was approved ends with its term, in use or not. */
const ENDING: readonly State[] = ['preparing', 'testing', 'active', 'suspended'];

/** Time passes in the model too: a term that is over ends what was active, or was to be. */
function age(model: Model, province: Province): void {
  const now = province.clock.now();
  if (ENDING.includes(model.state) && now >= model.until) {
    model.state = 'expired';
    model.steps += 1;
  }
}

/** Steps that look at the whole request again: a term that is over by then cannot be agreed on. */
const LOOKS_AGAIN = ['submit', 'resubmit', 'agree', 'approve', 'activate'];

function allowed(model: Model, client: Client, step: string, now: number): boolean {
  const way = WAYS[step];
  if (way === undefined || !way[0].includes(client) || !way[1].includes(model.state)) return false;
  if (LOOKS_AGAIN.includes(step) && now >= model.until) return false;
  if (step === 'begin_testing') return model.tasksDone;
  if (step === 'activate') return model.tested;
  if (step === 'suspend') return !model.flags.has(sideOf(client));
  if (step === 'resume') return model.flags.has(sideOf(client));
  return true;
}

function advance(model: Model, client: Client, step: string, now: number): void {
  const to = WAYS[step]?.[2] ?? model.state;
  model.steps += 1;
  model.state = to;
  if (step === 'approve') model.tasksDone = false;
  if (step === 'activate') model.from = now;
  if (step === 'begin_testing') {
    model.tested = false;
    model.tried = false;
  }
  if (step === 'suspend') model.flags.add(sideOf(client));
  if (step === 'resume') {
    model.flags.delete(sideOf(client));
    model.state = model.flags.size === 0 ? 'active' : 'suspended';
  }
}

class Begin implements fc.AsyncCommand<Model, Province> {
  check = ({ state }: Readonly<Model>): boolean =>
    ['none', 'refused', 'withdrawn', 'expired', 'terminated'].includes(state);
  async run(model: Model, province: Province): Promise<void> {
    const until = new Date(province.clock.now() + 3 * DAY).toISOString().slice(0, 10);
    const { id } = await province.done('nguoi-lap', 'POST', '/sharing-requests', {
      service: SERVICE,
      system: 'mot-cua',
      ...CONTENT,
      perMinute: null,
      perDay: 2,
      until,
    });
    const fresh = {
      state: 'draft',
      id,
      steps: 0,
      flags: new Set(),
      tasksDone: false,
      tested: false,
      tried: false,
    } as const;
    const end = Date.parse(`${until}T17:00:00Z`);
    Object.assign(model, fresh, { flags: new Set(), grants: model.grants + 1, perDay: 2, until: end });
    model.seen.add(model.state);
  }
  toString = (): string => 'begin';
}

class Step implements fc.AsyncCommand<Model, Province> {
  readonly client: Client;
  readonly step: string;
  constructor(client: Client, step: string) {
    this.client = client;
    this.step = step;
  }
  check = ({ state }: Readonly<Model>): boolean => state !== 'none';
  async run(model: Model, province: Province): Promise<void> {
    const { client, step } = this;
    age(model, province);
    const body = {
      step,
      reason: 'mô hình',
      legalBasis: BASIS,
      document: PAPERS[client],
      agreement: AGREEMENT,
    };
    const answer = await province.api(client, 'POST', `/sharing-requests/${model.id}/steps`, body);
    const expected = allowed(model, client, step, province.clock.now());
    assert.equal(
      answer.status === 200,
      expected,
      `${step} by ${client} in ${model.state}: ${JSON.stringify(answer.body)}`,
    );
    if (expected) advance(model, client, step, province.clock.now());
    model.seen.add(model.state);
    if (expected) assert.equal(answer.body.state, model.state, step);
  }
  toString = (): string => `${this.step} by ${this.client}`;
}

/** Whatever leads on from here, so that walks get far. */
class Onward implements fc.AsyncCommand<Model, Province> {
  check = ({ state }: Readonly<Model>): boolean => state !== 'suspended' && state !== 'active';
  async run(model: Model, province: Province): Promise<void> {
    if (new Begin().check(model)) {
      await new Begin().run(model, province);
      return;
    }
    if (model.state === 'preparing' && !model.tasksDone) {
      await new Tasks().run(model, province);
      return;
    }
    if (model.state === 'testing' && !model.tried) {
      await new Sandbox().run(model, province);
      return;
    }
    if (model.state === 'testing' && !model.tested) {
      await new Test().run(model, province);
      return;
    }
    const [client, step] = ONWARD[model.state] ?? [];
    if (client !== undefined && step !== undefined) await new Step(client, step).run(model, province);
  }
  toString = (): string => 'onward';
}

const ONWARD: Readonly<Partial<Record<State, readonly [Client, string]>>> = {
  draft: ['nguoi-lap', 'submit'],
  submitted: ['cung-cap', 'take'],
  in_review: ['cung-cap', 'agree'],
  needs_changes: ['nguoi-lap', 'resubmit'],
  agreed: ['quan-ly', 'approve'],
  preparing: ['van-hanh', 'begin_testing'],
  testing: ['van-hanh', 'activate'],
};

class Tasks implements fc.AsyncCommand<Model, Province> {
  check = ({ state }: Readonly<Model>): boolean => state === 'preparing';
  async run(model: Model, province: Province): Promise<void> {
    for (const [task, client] of [
      [1, 'nguoi-lap'],
      [2, 'van-hanh'],
      [3, 'cung-cap'],
      [4, 'cung-cap'],
    ] as const)
      await province.done(client, 'PUT', `/sharing-requests/${model.id}/tasks/${task}`, { done: true });
    model.tasksDone = true;
  }
  toString = (): string => 'tasks';
}

class Sandbox implements fc.AsyncCommand<Model, Province> {
  check = ({ state }: Readonly<Model>): boolean => state === 'testing';
  async run(model: Model, province: Province): Promise<void> {
    const token = await province.node.token('mot-cua', 'data');
    const answer = await fetch(`${province.node.url}/sandbox/${SERVICE}/doanh-nghiep`, {
      headers: { authorization: `Bearer ${token}` },
    });
    assert.equal(answer.status, 200);
    model.tried = true;
  }
  toString = (): string => 'sandbox';
}

class Test implements fc.AsyncCommand<Model, Province> {
  check = ({ state }: Readonly<Model>): boolean => state === 'testing';
  async run(model: Model, province: Province): Promise<void> {
    const { tests } = await province.done('cung-cap', 'POST', `/sharing-requests/${model.id}/tests`);
    assert.equal(tests.at(-1).passed, model.tried);
    model.tested = model.tried;
  }
  toString = (): string => 'test';
}

/** A call a day more, asked for and approved: whoever held the grant up holds it up still. */
class Amend implements fc.AsyncCommand<Model, Province> {
  check = ({ state }: Readonly<Model>): boolean => state === 'active' || state === 'suspended';
  async run(model: Model, province: Province): Promise<void> {
    age(model, province);
    if (!this.check(model)) return;
    const { grant } = await province.done('nguoi-lap', 'GET', `/sharing-requests/${model.id}`);
    const perDay = model.perDay + 1;
    const ask = { perDay, document: PAPERS['nguoi-lap'], reason: 'mô hình' };
    const { id } = await province.done('nguoi-lap', 'PUT', `/grants/${grant}/quota`, ask);
    await province.step('cung-cap', id, 'take');
    await province.step('cung-cap', id, 'agree', { document: PAPERS['cung-cap'], agreement: AGREEMENT });
    const { state } = await province.step('quan-ly', id, 'approve', { document: PAPER });
    assert.equal(state, model.state, 'an amendment changes what is allowed, not whether it is held up');
    Object.assign(model, { id, perDay, steps: 4, from: province.clock.now() });
  }
  toString = (): string => 'amend';
}

class Call implements fc.AsyncCommand<Model, Province> {
  check = (): boolean => true;
  async run(model: Model, province: Province): Promise<void> {
    age(model, province);
    model.seen.add(model.state);
    const code = await province.code();
    const now = province.clock.now();
    const active = model.state === 'active' && model.from <= now;
    const today = `${String(model.grants)} ${String(Math.floor((now + 7 * 3_600_000) / DAY))}`;
    const used = model.calls.get(today) ?? 0;
    const left = used < model.perDay;
    assert.equal(code === 'answered', active && left, `a call in ${model.state}: ${code}`);
    if (active && !left) assert.equal(code, 'quota_exceeded');
    if (active && left) model.calls.set(today, used + 1);
  }
  toString = (): string => 'call';
}

class Wait implements fc.AsyncCommand<Model, Province> {
  readonly hours: number;
  constructor(hours: number) {
    this.hours = hours;
  }
  /** A clock is set back only where a grant says from when to when: what was tested "later" would count for nothing. */
  check = ({ state }: Readonly<Model>): boolean =>
    this.hours > 0 || ['active', 'suspended', 'expired', 'terminated'].includes(state);
  async run(model: Model, province: Province): Promise<void> {
    province.clock.move(this.hours * 3_600_000);
    const before = model.state;
    age(model, province);
    if (model.state === 'expired' && before !== 'expired')
      await eventually(
        async () =>
          (await province.done('nguoi-lap', 'GET', `/sharing-requests/${model.id}`)).state === 'expired' ||
          undefined,
        'it expires by itself',
      );
  }
  toString = (): string => `wait ${this.hours} h`;
}

const clients: readonly Client[] = ['nguoi-lap', 'cung-cap', 'quan-ly', 'van-hanh', 'ke-la'];

/** Mostly the way on and calls; in between any step by anybody, and time. */
const commands = [
  ...Array.from({ length: 6 }, () => fc.constant(new Onward())),
  ...Array.from({ length: 3 }, () => fc.constant(new Call())),
  fc.constant(new Sandbox()),
  fc.constant(new Test()),
  fc.constant(new Amend()),
  fc.integer({ min: -20, max: -1 }).map((hours) => new Wait(hours)),
  fc.integer({ min: 1, max: 40 }).map((hours) => new Wait(hours)),
  fc
    .tuple(fc.constantFrom(...clients), fc.constantFrom(...Object.keys(WAYS)))
    .map(([client, name]) => new Step(client, name)),
  fc
    .tuple(fc.constantFrom(...clients), fc.constantFrom('suspend', 'resume'))
    .map(([client, name]) => new Step(client, name)),
];

const onward = Array.from({ length: 10 }, () => new Onward());

/** What walks begin with, in turn, so that none of these states is left to chance. */
const BEGINNINGS: readonly (readonly fc.AsyncCommand<Model, Province>[])[] = [
  [...onward, new Call(), new Step('cung-cap', 'suspend'), new Call(), new Amend(), new Call()],
  [...onward, new Call(), new Step('nguoi-lap', 'terminate'), new Call()],
  [...onward, new Call(), new Wait(-1), new Call(), new Wait(100), new Call(), new Wait(-30), new Call()],
  [],
];

const RUNS = Number(process.env['LGSP_TEST_MODEL_RUNS'] ?? (process.env['CI'] === 'true' ? '15' : '6'));

for (const engine of engines) {
  describe(`the way of a request, walked at random on ${engine.name}`, function () {
    this.timeout(600_000);

    it('lets no call pass without a grant that is active at that moment, and leaves one record a step', async () => {
      const reached = new Map<State, number>();
      let turn = 0;
      await fc.assert(
        fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: 'max' }), async (walk) => {
          const province = await Province.open(engine);
          try {
            const model: Model = {
              ...{ state: 'none', id: '', steps: 0, flags: new Set<Client>(), tasksDone: false },
              ...{ tested: false, tried: false, from: 0, until: 0, calls: new Map<string, number>() },
              ...{ grants: 0, perDay: 2, seen: new Set<State>() },
            };
            await fc.asyncModelRun(() => ({ model, real: province }), BEGINNINGS[turn % 4] ?? []);
            turn += 1;
            await fc.asyncModelRun(() => ({ model, real: province }), walk);
            for (const state of model.seen) reached.set(state, (reached.get(state) ?? 0) + 1);
            if (model.id === '') return;
            const records = await eventually(async () => {
              const found = (await allRecords(province.test.database)).filter(
                ({ kind, target }) =>
                  kind !== 'opening' &&
                  target?.noun === 'sharing_request' &&
                  target.key === model.id &&
                  typeof (target.after as any)?.step === 'string',
              );
              return found.length >= model.steps ? found : undefined;
            }, 'every step has its record');
            assert.equal(records.length, model.steps, 'one record a step');
          } finally {
            await province.close();
          }
        }),
        { numRuns: RUNS, endOnFailure: true },
      );
      for (const state of ['active', 'suspended', 'expired', 'terminated'] as const)
        assert.ok((reached.get(state) ?? 0) > 0, `no walk reached ${state}: ${[...reached].join(' ')}`);
    });
  });
}
