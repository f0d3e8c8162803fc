import type { Stage } from '../../base/exchange.js';
import { Problem } from '../../base/problem.js';
import type { SampleWish } from '../../catalogue/contract.js';
import type { DataExchange } from '../exchanges.js';
import { preferencesOf } from '../preferences.js';

const STATUS = /^[2-5][0-9]{2}$/;

/** A header arrives as bytes; a name that is no ASCII was most likely sent as UTF-8. */
const utf8 = (text: string): string => Buffer.from(text, 'latin1').toString('utf8');

/** Answers from the document alone. No source is opened, nothing is changed, so nothing is recorded beforehand. */
export function makeAnswer(): Stage<DataExchange> {
  return {
    name: 'forward',
    needs: ['operation', 'valid'],
    gives: ['source'],
    run(exchange) {
      const { operation } = exchange;
      if (operation === null) throw new Problem('internal_error');
      const preferences = preferencesOf(exchange.header('prefer'));
      const code = preferences.get('code') ?? '';
      const example = preferences.get('example');
      const wish: SampleWish = {
        status: STATUS.test(code) ? Number(code) : null,
        example: example === undefined ? null : utf8(example),
        accept: exchange.header('accept'),
      };
      const { applied, ...made } = operation.sampleAnswer(wish);
      const said = [
        ...(applied.status ? [`code=${code}`] : []),
        ...(applied.example ? [`example="${(example ?? '').replaceAll(/["\\]/g, '\\$&')}"`] : []),
      ];
      if (said.length > 0) exchange.extraHeaders['Preference-Applied'] = said.join(', ');
      exchange.source = { ...made, success: null };
    },
  };
}
