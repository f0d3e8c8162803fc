import type { Fault } from '../base/problem.js';
import type { Places } from './check-places.js';
import { bodyFaults } from './check-bodies.js';
import type { ApiDocument } from './document.js';
import type { FaultList } from './faults.js';
import { isObject, listMember, member, pointerOf } from './json-tree.js';
import { isRoutable } from './operation-router.js';
import { BINDING, type OperationSource, type ParameterSource, templateNames } from './operation-source.js';
import { planParameter } from './parameters.js';
import { QueryReader } from './request-reader.js';

export const MAX_OPERATIONS = 2000;

/** Headers of one connection, of the gateway, or with the caller's credentials: no parameter may be one of them. */
const RESERVED_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'cookie',
  'dpop',
  'expect',
  'host',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Checks what OpenAPI's schema cannot say: paths, operations, parameters, bodies and responses as a whole. */
export function checkOperations(
  document: ApiDocument,
  places: Places,
  sources: readonly OperationSource[],
  faults: FaultList,
): void {
  if (sources.length === 0)
    faults.add('/paths', 'minItems', 'chưa có thao tác nào', 'there are no operations');
  if (sources.length > MAX_OPERATIONS) {
    const vi = `quá ${MAX_OPERATIONS} thao tác`;
    faults.add('/paths', 'maxItems', vi, `there are more than ${MAX_OPERATIONS} operations`);
  }
  checkTemplates(document, faults);
  checkIds(sources, faults);
  checkDoubles(document, places, faults);
  for (const source of sources) {
    checkOperation(source, faults);
    checkParameters(document, source, faults);
    bodyFaults(document, source, faults);
  }
}

function checkTemplates(document: ApiDocument, faults: FaultList): void {
  const shapes = new Map<string, string>();
  const paths = member(document.root, 'paths');
  for (const template of Object.keys(isObject(paths) ? paths : {})) {
    if (template.startsWith('x-')) continue;
    const pointer = pointerOf('paths', template);
    const names = templateNames(template);
    if (!isRoutable(template) || new Set(names).size !== names.length) {
      faults.add(
        pointer,
        'path',
        'đường dẫn phải bắt đầu bằng "/"; mỗi đoạn có nhiều nhất một {tham số}, sau đó chỉ được là "." hoặc "-" và chữ',
        'a path begins with "/"; a segment has at most one {parameter}, followed by nothing or by "." or "-" and text',
      );
    }
    const shape = template.replaceAll(/\{[^{}]*\}/g, '{}');
    const twin = shapes.get(shape);
    if (twin === undefined) shapes.set(shape, template);
    else
      faults.add(pointer, 'pathConflict', `trùng với đường dẫn ${twin}`, `matches the same calls as ${twin}`);
  }
}

function checkIds(sources: readonly OperationSource[], faults: FaultList): void {
  const seen = new Set<string>();
  for (const { id, pointer } of sources) {
    if (seen.has(id)) {
      faults.add(
        `${pointer}/operationId`,
        'duplicate',
        'mã thao tác bị trùng',
        'the operation id is used twice',
      );
    }
    seen.add(id);
    if (!/^[\p{L}\p{N}][\p{L}\p{N}._:-]{0,127}$/u.test(id)) {
      const vi = 'mã thao tác chỉ gồm chữ, số và . _ : - (tối đa 128 ký tự)';
      faults.add(
        `${pointer}/operationId`,
        'pattern',
        vi,
        'an id has letters, digits and . _ : - only (at most 128)',
      );
    }
  }
}

/** The same parameter twice in one list. */
function checkDoubles(document: ApiDocument, places: Places, faults: FaultList): void {
  for (const holder of [...places.ofKind('pathItem'), ...places.ofKind('operation')]) {
    const seen = new Set<string>();
    listMember(holder.value, 'parameters').forEach((value, i) => {
      const pointer = `${holder.pointer}/parameters/${i}`;
      const node = document.resolve({ pointer, value })?.value;
      const name = String(member(node, 'name'));
      const key = `${String(member(node, 'in'))} ${member(node, 'in') === 'header' ? name.toLowerCase() : name}`;
      if (seen.has(key))
        faults.add(pointer, 'duplicate', 'tham số bị khai báo hai lần', 'the parameter is declared twice');
      seen.add(key);
    });
  }
}

function checkOperation(source: OperationSource, faults: FaultList): void {
  const { pointer, node, method } = source;
  if (node['requestBody'] !== undefined && ['GET', 'HEAD', 'DELETE'].includes(method)) {
    const vi = `${method} không được có nội dung`;
    faults.add(`${pointer}/requestBody`, 'requestBody', vi, `${method} must not have a body`);
  }
  const statuses = [...source.responses.keys()];
  if (!statuses.some((status) => status.startsWith('2') || status === 'default')) {
    const vi = 'cần ít nhất một trả lời 2xx hoặc default';
    faults.add(`${pointer}/responses`, 'success', vi, 'at least one 2xx or default response is needed');
  }
  const binding = node[BINDING];
  if (binding !== undefined && !isObject(binding)) {
    faults.add(pointer + pointerOf(BINDING), 'type', 'phải là đối tượng', 'must be object');
  }
}

/** Methods that the gateway does not carry. */
export function checkMethods(places: Places, faults: FaultList): void {
  for (const { pointer } of places.ofKind('operation')) {
    if (!pointer.endsWith('/trace')) continue;
    faults.add(pointer, 'method', 'không hỗ trợ phương thức TRACE', 'the method TRACE is not supported');
  }
}

function checkParameters(document: ApiDocument, source: OperationSource, faults: FaultList): void {
  const queryNames = new Set<string>();
  for (const parameter of source.parameters) {
    const { plan, fault } = planParameter(document, parameter);
    if (plan === null) faults.push(fault);
    else if (plan.in === 'query') {
      for (const name of new QueryReader([plan]).names) {
        if (queryNames.has(name)) {
          const en = `the query key ${name} is taken by another parameter`;
          faults.add(parameter.pointer, 'duplicate', `khóa truy vấn ${name} đã thuộc tham số khác`, en);
        }
        queryNames.add(name);
      }
    }
    if (parameter.in === 'header' && RESERVED_HEADERS.has(parameter.name)) {
      const vi = 'tiêu đề này không được làm tham số';
      faults.add(`${parameter.pointer}/name`, 'reserved', vi, 'this header cannot be a parameter');
    }
  }
  checkPathParameters(source, faults);
}

function checkPathParameters(source: OperationSource, faults: FaultList): void {
  const names = new Set(templateNames(source.template));
  const inPath = source.parameters.filter((parameter) => parameter.in === 'path');
  for (const parameter of inPath) {
    if (!names.has(parameter.name)) faults.push(notInTemplate(source, parameter));
    if (parameter.node['required'] !== true) {
      const vi = 'tham số đường dẫn phải có required: true';
      faults.add(`${parameter.pointer}/required`, 'required', vi, 'a path parameter needs required: true');
    }
  }
  for (const name of names) {
    if (inPath.some((parameter) => parameter.name === name)) continue;
    const vi = `chưa khai báo tham số đường dẫn ${name}`;
    faults.add(source.pointer, 'pathParameter', vi, `the path parameter ${name} is not declared`);
  }
}

function notInTemplate(source: OperationSource, parameter: ParameterSource): Fault {
  const { template } = source;
  const vi = `đường dẫn ${template} không có {${parameter.name}}`;
  const message = { vi, en: `the path ${template} has no {${parameter.name}}` };
  return { pointer: parameter.pointer, keyword: 'pathParameter', message };
}
