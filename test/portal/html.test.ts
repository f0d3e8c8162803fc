import assert from 'node:assert/strict';
import { html, prose } from '../../gateway/portal/html.js';

const cases: readonly [string, () => unknown, string][] = [
  ['text', () => html`<p>${'Đơn vị <b>&"\''}</p>`, '<p>Đơn vị &lt;b&gt;&amp;&quot;&#39;</p>'],
  ['an attribute', () => html`<a title="${'" onclick="x'}">`, '<a title="&quot; onclick=&quot;x">'],
  ['markup, once', () => html`<p>${html`<b>${'<'}</b>`}</p>`, '<p><b>&lt;</b></p>'],
  [
    'a list',
    () => html`<ul>${['a', '<'].map((item) => html`<li>${item}</li>`)}</ul>`,
    '<ul><li>a</li><li>&lt;</li></ul>',
  ],
  ['nothing', () => html`[${null}${false}${[]}]`, '[]'],
  ['a number', () => html`${0}`, '0'],
  ['a backslash in the template', () => html`a\\nb`, 'a\\nb'],
  ['code in prose', () => prose('see `errors`, <not> this'), 'see <code>errors</code>, &lt;not&gt; this'],
];

describe('portal/html', () => {
  for (const [what, made, expected] of cases) {
    it(`renders ${what}`, () => assert.equal(String(made()), expected));
  }

  it('does not take an object that only looks like markup', () => {
    const forged = JSON.parse('{"toString":"<script>"}') as never;
    assert.throws(() => html`${forged}`);
  });
});
