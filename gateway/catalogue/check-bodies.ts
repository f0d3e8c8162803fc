import type { ApiDocument, Place } from './document.js';
import type { FaultList } from './faults.js';
import { member, objectMember, pointerOf } from './json-tree.js';
import { FORM, parseMediaType } from './media-types.js';
import type { OperationSource } from './operation-source.js';
import { headerPlan } from './response-check.js';
import { isUntyped, propertiesOf, seenKeyword, typesOf } from './schema-types.js';

/** Checks the media types of an operation's request body and responses, and the responses' headers. */
export function bodyFaults(document: ApiDocument, source: OperationSource, faults: FaultList): void {
  const { requestBody, responses } = source;
  if (requestBody !== null) {
    if (Object.keys(objectMember(requestBody.value, 'content')).length === 0) {
      const vi = 'cần ít nhất một định dạng nội dung';
      faults.add(`${requestBody.pointer}/content`, 'content', vi, 'at least one media type is needed');
    }
    contentFaults(document, requestBody, 'request', faults);
  }
  for (const response of responses.values()) {
    contentFaults(document, response, 'response', faults);
    for (const [name, value] of Object.entries(objectMember(response.value, 'headers'))) {
      const pointer = response.pointer + pointerOf('headers', name);
      const planned = headerPlan(document, name, { pointer, value });
      if (planned !== null && planned.plan === null) faults.push(planned.fault);
    }
  }
}

function isRange(essence: string): boolean {
  return !essence.includes('*') || /^(?:\*\/\*|[^*/]+\/\*)$/.test(essence);
}

function contentFaults(
  document: ApiDocument,
  holder: Place,
  side: 'request' | 'response',
  faults: FaultList,
): void {
  const seen = new Set<string>();
  for (const [range, value] of Object.entries(objectMember(holder.value, 'content'))) {
    const pointer = holder.pointer + pointerOf('content', range);
    const essence = parseMediaType(range)?.essence;
    if (essence === undefined || !isRange(essence)) {
      faults.add(
        pointer,
        'mediaType',
        'không phải một định dạng nội dung (MIME)',
        'this is not a media type',
      );
      continue;
    }
    if (seen.has(essence)) {
      const vi = 'định dạng này đã được khai báo';
      faults.add(pointer, 'duplicate', vi, 'this media type is declared already');
    }
    seen.add(essence);
    if (essence.startsWith('multipart/')) multipartFaults(document, { pointer, value }, faults);
    if (essence === FORM) formFaults(document, { pointer, value }, side, faults);
  }
}

/** The parts of a multipart body are not read, so nothing may be promised about them. */
function multipartFaults(document: ApiDocument, media: Place, faults: FaultList): void {
  const types = typesOf(member(media.value, 'schema'), document);
  if (isUntyped(types) || !types.has('object')) return;
  faults.add(
    `${media.pointer}/schema`,
    'unsupported',
    'chưa hỗ trợ kiểm tra từng phần của multipart; bỏ schema để chỉ kiểm tra định dạng',
    'checking the parts of a multipart body is not supported; without a schema, only the media type is checked',
  );
}

function formFaults(
  document: ApiDocument,
  media: Place,
  side: 'request' | 'response',
  faults: FaultList,
): void {
  const schema = member(media.value, 'schema');
  if (side === 'response' && schema !== undefined) {
    const vi = 'chưa hỗ trợ kiểm tra biểu mẫu trong trả lời';
    faults.add(`${media.pointer}/schema`, 'unsupported', vi, 'checking a form in an answer is not supported');
    return;
  }
  if (member(media.value, 'encoding') !== undefined) {
    const vi = 'chưa hỗ trợ "encoding" của biểu mẫu';
    faults.add(`${media.pointer}/encoding`, 'unsupported', vi, 'the "encoding" of a form is not supported');
  }
  for (const [name, property] of propertiesOf(schema, document)) {
    const types = typesOf(property, document);
    const items = typesOf(seenKeyword(property, 'items', document), document);
    const nested = types.has('array') && !types.has('string') && !isUntyped(items) && items.has('object');
    if (isUntyped(types) || (!types.has('object') && !nested)) continue;
    const vi = `trường ${name} của biểu mẫu phải là giá trị đơn hoặc danh sách giá trị đơn`;
    const en = `the field ${name} of a form must be a single value or a list of them`;
    faults.add(`${media.pointer}/schema`, 'unsupported', vi, en);
  }
}
