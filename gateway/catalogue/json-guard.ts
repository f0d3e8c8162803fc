import { isUtf8 } from 'node:buffer';
import secureJson from 'secure-json-parse';
import type { Bilingual } from '../base/problem.js';
import { findSyntaxError } from './json-syntax.js';

/** Deeper messages are refused before they are parsed. */
export const MAX_DEPTH = 64;

export type GuardedJson =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly keyword: string; readonly message: Bilingual };

interface Scan {
  readonly tooDeep: boolean;
  /** Object members in the text, counted by their colons. */
  readonly members: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The position after the string that opens before `at`. */
function skipString(body: Buffer, at: number): number {
  let i = at;
  for (; i < body.length; i += 1) {
    const byte = body[i];
    if (byte === BACKSLASH) i += 1;
    else if (byte === QUOTE) return i + 1;
  }
  return i;
}

/** One pass over the bytes: how deep it nests, and how many members it writes. */
function scan(body: Buffer): Scan {
  let depth = 0;
  let members = 0;
  for (let i = 0; i < body.length; ) {
    const byte = body[i];
    i += 1;
    if (byte === QUOTE) i = skipString(body, i);
    else if (byte === 0x7b || byte === 0x5b) {
      depth += 1;
      if (depth > MAX_DEPTH) return { tooDeep: true, members };
    } else if (byte === 0x7d || byte === 0x5d) depth -= 1;
    else if (byte === 0x3a) members += 1;
  }
  return { tooDeep: false, members };
}

function countMembers(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += countMembers(item);
    return count;
  }
  for (const name in value) {
    count += 1;
    const inner = (value as Record<string, unknown>)[name];
    if (typeof inner === 'object') count += countMembers(inner);
  }
  return count;
}

const refuse = (keyword: string, vi: string, en: string): GuardedJson => ({
  ok: false,
  keyword,
  message: { vi, en },
});

function syntaxFault(text: string): GuardedJson {
  const at = findSyntaxError(text);
  return refuse('json', `JSON sai cú pháp tại vị trí ${at}`, `the JSON breaks off at position ${at}`);
}

/** Only a name that is spelled out, or hidden behind escapes, can reach for a prototype; few messages hold either. */
function maySpellPrototype(text: string): boolean {
  return text.includes('__proto__') || text.includes('constructor') || text.includes('\\u');
}

/**
 * Reads JSON that nobody has vouched for. Refused are: bytes that are not UTF-8, a byte order mark, nesting past
 * `MAX_DEPTH`, members that reach for prototypes, and members written twice (the gateway would check one and the
 * source might believe the other).
 */
export function parseGuarded(body: Buffer): GuardedJson {
  if (!isUtf8(body)) return refuse('encoding', 'nội dung không phải UTF-8', 'the content is not UTF-8');
  if (body[0] === 0xef && body[1] === 0xbb && body[2] === 0xbf) {
    return refuse(
      'encoding',
      'nội dung không được có dấu BOM',
      'the content must not have a byte order mark',
    );
  }
  const { tooDeep, members } = scan(body);
  if (tooDeep) {
    return refuse('depth', `lồng quá ${MAX_DEPTH} cấp`, `the content nests deeper than ${MAX_DEPTH} levels`);
  }
  const text = body.toString('utf8');
  let value: unknown;
  try {
    value = (maySpellPrototype(text) ? secureJson.parse(text) : JSON.parse(text)) as unknown;
  } catch {
    if (isJson(text)) {
      return refuse(
        'prototype',
        'không được có trường __proto__ hoặc constructor.prototype',
        'the members __proto__ and constructor.prototype are not allowed',
      );
    }
    return syntaxFault(text);
  }
  if (countMembers(value) !== members) {
    return refuse(
      'duplicate',
      'có trường bị lặp lại trong một đối tượng',
      'an object has the same member twice',
    );
  }
  return { ok: true, value };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
