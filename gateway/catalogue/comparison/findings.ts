import type { Bilingual } from '../../base/problem.js';

/** What of a contract changed in a way that callers may notice. */
export type ChangeRule =
  | 'operation-removed'
  | 'operation-renamed'
  | 'operation-added'
  | 'parameter-removed'
  | 'parameter-added'
  | 'parameter-required'
  | 'parameter-style'
  | 'body-removed'
  | 'body-added'
  | 'body-required'
  | 'media-type-removed'
  | 'media-type-added'
  | 'response-removed'
  | 'response-added'
  | 'header-removed'
  | 'type'
  | 'enum'
  | 'bound'
  | 'pattern'
  | 'format'
  | 'property-removed'
  | 'property-added'
  | 'required'
  | 'optional'
  | 'additional-properties'
  | 'composition'
  | 'sharing'
  | 'sender-constrained'
  | 'response-check'
  | 'classification'
  | 'direction'
  | 'size'
  | 'timeout'
  | 'limit'
  | 'secrecy-marks'
  | 'success'
  | 'unreadable';

const WORDS: Readonly<Record<ChangeRule, Bilingual>> = {
  'operation-removed': { vi: 'thao tác bị bỏ', en: 'the operation is gone' },
  'operation-renamed': { vi: 'thao tác đổi operationId', en: 'the operation has another operationId' },
  'operation-added': { vi: 'thêm thao tác', en: 'an operation is new' },
  'parameter-removed': { vi: 'tham số bị bỏ', en: 'the parameter is gone' },
  'parameter-added': { vi: 'thêm tham số không bắt buộc', en: 'an optional parameter is new' },
  'parameter-required': { vi: 'tham số trở thành bắt buộc', en: 'the parameter is required now' },
  'parameter-style': { vi: 'cách viết tham số thay đổi', en: 'the parameter is written in another way' },
  'body-removed': { vi: 'không còn nhận nội dung', en: 'no body is taken any more' },
  'body-added': { vi: 'thêm nội dung không bắt buộc', en: 'an optional body is new' },
  'body-required': { vi: 'nội dung trở thành bắt buộc', en: 'the body is required now' },
  'media-type-removed': { vi: 'định dạng bị bỏ', en: 'the media type is gone' },
  'media-type-added': { vi: 'thêm định dạng', en: 'a media type is new' },
  'response-removed': { vi: 'câu trả lời thành công bị bỏ', en: 'the successful response is gone' },
  'response-added': { vi: 'thêm câu trả lời', en: 'a response is new' },
  'header-removed': { vi: 'tiêu đề trả về bị bỏ', en: 'the header of the response is gone' },
  type: { vi: 'kiểu dữ liệu thay đổi', en: 'the type has changed' },
  enum: { vi: 'tập giá trị thay đổi', en: 'the set of values has changed' },
  bound: { vi: 'giới hạn thay đổi', en: 'a bound has changed' },
  pattern: { vi: 'mẫu thay đổi', en: 'the pattern has changed' },
  format: { vi: 'định dạng giá trị thay đổi', en: 'the format has changed' },
  'property-removed': { vi: 'trường bị bỏ', en: 'the property is gone' },
  'property-added': { vi: 'thêm trường', en: 'a property is new' },
  required: { vi: 'trường trở thành bắt buộc', en: 'the property is required now' },
  optional: { vi: 'trường không còn bắt buộc', en: 'the property is required no more' },
  'additional-properties': {
    vi: 'quy tắc về trường ngoài danh sách thay đổi',
    en: 'what is said of further properties has changed',
  },
  composition: { vi: 'cách ghép lược đồ thay đổi', en: 'the schemas are combined in another way' },
  sharing: { vi: 'hình thức chia sẻ thay đổi', en: 'it is shared in another way' },
  'sender-constrained': {
    vi: 'yêu cầu mã truy cập gắn với bên gọi thay đổi',
    en: 'whether tokens must be bound to their caller has changed',
  },
  'response-check': {
    vi: 'cách xử lý câu trả lời sai cấu trúc thay đổi',
    en: 'what becomes of answers outside the contract has changed',
  },
  classification: { vi: 'phân loại dữ liệu thay đổi', en: 'the classification has changed' },
  direction: { vi: 'chiều cung cấp hay thu nhận thay đổi', en: 'the direction has changed' },
  size: { vi: 'dung lượng tối đa thay đổi', en: 'the largest size has changed' },
  timeout: { vi: 'thời gian chờ nguồn thay đổi', en: 'the time the source is given has changed' },
  limit: { vi: 'giới hạn số lời gọi thay đổi', en: 'the limit of calls has changed' },
  'secrecy-marks': {
    vi: 'trường khai độ mật thay đổi',
    en: 'the fields that declare a degree of secrecy have changed',
  },
  success: {
    vi: 'cách nhận biết nguồn báo lỗi thay đổi',
    en: 'what counts as a failure of the source has changed',
  },
  unreadable: { vi: 'không còn đọc được để so sánh', en: 'cannot be read any more, and so not be compared' },
};

/** Of what a contract consists. */
export type ContractPart = 'document' | 'manifest';

/** One change, by pointer. */
export interface ContractChange {
  readonly part: ContractPart;
  /** Into the new one; into the old one where the thing is gone. */
  readonly pointer: string;
  readonly rule: ChangeRule;
  readonly breaking: boolean;
  /** The operation it touches, by its id in the old document; null for one that is new, and for all of them. */
  readonly operation: string | null;
  /** Of an answer: which field, as grants name them; `''` for all of it; null for what is asked. */
  readonly field: string | null;
  readonly message: Bilingual;
}

/** Where changes are gathered while two contracts are walked side by side. */
export class Changes {
  readonly part: ContractPart;
  readonly found: ContractChange[] = [];
  operation: string | null = null;

  constructor(part: ContractPart = 'document') {
    this.part = part;
  }

  add(pointer: string, rule: ChangeRule, breaking: boolean, field: string | null = null): void {
    const { part, operation } = this;
    this.found.push({ part, pointer, rule, breaking, operation, field, message: WORDS[rule] });
  }
}
