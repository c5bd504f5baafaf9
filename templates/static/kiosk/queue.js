// What waits on this phone to be handed in. Used by the page and by the service worker.
//
// An entry is one plant: its photos, and what was said with them. It is written before anything is
// sent. The first photo makes the case, the others join it, and what was said stays beside it as
// `told`; each is taken off the entry only when the server has said that it has it on disk. A
// photo's id is made here, once, so that sending it twice changes nothing. Order is the order of
// writing; the phone's clock is never asked.

import { openDB } from "../vendor/idb/index.js";
import { busy, NoAnswer, send, Strange } from "./send.js";

const UPLOADS = "uploads";
const KEPT = "kept";
const LOCK = "leafline-kiosk-queue";
const OVER = new Set(["case_closed", "case_full", "case_not_found", "consent_withdrawn"]); // no photos join that case
export const SYNC_TAG = "leafline-kiosk-queue";

const STUCK = 3; // rounds that an entry alone failed in, until it is offered for repair
const DEAF = 3; // strange answers in a row that end a round: this is no way to the server
const DRAFT = "draft:";
const CLOSED = new Set(["InvalidStateError", "AbortError", "UnknownError", "NotFoundError"]);

/**
 * @typedef {{id: string, bytes: ArrayBuffer, preview: string}} Named
 * @typedef {object} Entry
 * @property {number} order
 * @property {Record<string, any>} fields
 * @property {Record<string, any>} [told]
 * @property {Named[]} photos
 * @property {string | null} refused
 * @property {number} [tries] rounds since it was written down or kept, in vain
 * @property {number} [strange] those of them in which it was refused by a stranger, or it alone had no answer
 * @typedef {{kind: string, order?: any, share?: any, case?: string}} Change
 */

/** @type {Promise<any> | null} */
let opened = null;

function database() {
  opened ??= openDB("leafline-kiosk", 1, {
    upgrade(db) {
      db.createObjectStore(UPLOADS, { keyPath: "order", autoIncrement: true });
      db.createObjectStore(KEPT);
    },
    terminated: () => (opened = null),
  }).catch((error) => {
    opened = null;
    throw error;
  });
  return opened;
}

/**
 * The browser may close the phone's storage under a page at any time; it is opened again, once.
 *
 * @template T
 * @param {(db: any) => Promise<T>} work one transaction; what was aborted has changed nothing
 */
async function stored(work) {
  try {
    return await work(await database());
  } catch (error) {
    if (!CLOSED.has(/** @type {Error} */ (error).name)) throw error;
    opened = null;
    return work(await database());
  }
}

/** None on older phones: then each tab hears of its own changes alone, until it is looked at. */
const channel = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("leafline-kiosk");

/** Calls back with {kind, ...} on each change, made in whichever tab: changed, progress, accepted. */
export function onChange(/** @type {(change: Change) => void} */ listener) {
  channel?.addEventListener("message", (event) => listener(event.data));
  listeners.push(listener);
}
/** @type {((change: Change) => void)[]} */
const listeners = [];
function tell(/** @type {Change} */ change) {
  channel?.postMessage(change);
  for (const listener of listeners) listener(change);
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const named = (/** @type {{id?: string, bytes: ArrayBuffer, preview: string}[]} */ photos) =>
  photos.map(({ id, bytes, preview }) => ({ id: id ?? newId(), bytes, preview }));

/**
 * Write a plant down. Throws when the phone's storage is full.
 *
 * @param {Record<string, any>} fields what was said; `case` alone where the photos join a case
 * @param {{bytes: ArrayBuffer, preview: string}[]} photos
 */
export async function add(fields, photos) {
  const entry = { fields, photos: named(photos), refused: null };
  await stored((db) => db.add(UPLOADS, entry));
  tell({ kind: "changed" });
}

/** @returns {Promise<Entry[]>} */
export const waiting = () => stored((db) => db.getAll(UPLOADS));

/** @param {number} order */
export async function discard(order) {
  await stored((db) => db.delete(UPLOADS, order));
  tell({ kind: "changed" });
}

/** Whether the entry waits for the agent, or goes on waiting for the server in vain. */
export const stuck = (/** @type {Entry} */ { strange = 0 }) => strange >= STUCK;

/** Try on as before, and ask again later. @param {number} order */
export async function keepTrying(order) {
  await change(order, () => ({ tries: 0, strange: 0 }));
  tell({ kind: "changed" });
}

/**
 * What the form shows so that a refused entry can be put right; null where nothing in it would
 * help. Photos that came too late for their case make another one.
 */
export function correctable(/** @type {Entry} */ { fields, told, refused }) {
  if (!fields.case) return fields;
  return refused && OVER.has(refused) ? (told ?? {}) : null;
}

/**
 * Let an entry be sent again, corrected; anew, if it is gone meanwhile.
 *
 * @param {number} order
 * @param {Record<string, any>} fields
 * @param {{id?: string, bytes: ArrayBuffer, preview: string}[]} photos
 */
export async function correct(order, fields, photos) {
  const entry = { order, fields, photos: named(photos), refused: null };
  const there = await stored(async (db) => {
    if (!(await db.get(UPLOADS, order))) return false;
    await db.put(UPLOADS, entry);
    return true;
  });
  if (!there) return add(fields, photos);
  tell({ kind: "changed" });
}

/**
 * Small things that outlive the page: the last list, cases to watch, the agent's habits, drafts.
 *
 * @param {string} key
 */
export const kept = (key) => stored((db) => db.get(KEPT, key));
/** @param {string} key @param {any} value */
export const keep = (key, value) => stored((db) => db.put(KEPT, value, key));
/** @param {string} key */
export const drop = (key) => stored((db) => db.delete(KEPT, key));
/** @returns {Promise<string[]>} */
export const drafts = async () =>
  (await stored((db) => db.getAllKeys(KEPT))).filter((/** @type {string} */ key) => key.startsWith(DRAFT));

/** Codes whose answers this phone waits for or shows, newest first. */
/** @returns {Promise<string[]>} */
export const watched = async () => (await kept("watched")) ?? [];
/** @returns {Promise<string[]>} codes of cases that did not take what was corrected */
export const uncorrected = async () => (await kept("uncorrected")) ?? [];

/** @param {string[]} codes */
export const unwatch = (codes) =>
  stored(async (db) => {
    const transaction = db.transaction(KEPT, "readwrite");
    for (const key of ["watched", "uncorrected"]) {
      /** @type {string[] | undefined} */
      const list = await transaction.store.get(key);
      if (list) await transaction.store.put(list.filter((code) => !codes.includes(code)), key);
    }
    await transaction.done;
  });

/** Forget everything but what waits and, unless they were asked for, what stands in forms. */
export const forget = ({ drafts: too = false } = {}) =>
  stored(async (db) => {
    const transaction = db.transaction(KEPT, "readwrite");
    for (const key of await transaction.store.getAllKeys()) {
      if (too || !key.startsWith(DRAFT)) await transaction.store.delete(key);
    }
    await transaction.done;
  });

/** @typedef {{left: number, after: number, signedOut: boolean}} Outcome */
/** @type {Promise<Outcome> | null} */
let draining = null;

/**
 * Hand in what waits, one photo after the other, in one tab at a time; a second tab waits its turn,
 * and goes on where a closed one stopped.
 *
 * @returns {Promise<Outcome>} `left` entries are to be tried again, not before `after` seconds.
 */
export function drain() {
  draining ??= turn().finally(() => {
    draining = null;
  });
  return draining;
}

/** @returns {Promise<Outcome>} */
const turn = () => (navigator.locks ? navigator.locks.request(LOCK, handIn) : handIn());

/**
 * One round. What one plant meets holds up no other: those tried least go first, and only where
 * nobody answers, or nobody of ours, the round ends.
 *
 * @returns {Promise<Outcome>}
 */
async function handIn() {
  const later = new Set(); // orders of entries that the server could not take in just now
  let after = 0;
  let heard = false; // a word from the server
  let deaf = 0; // strange answers since the last one
  // Again and again, for more may have been written down while these were sent.
  for (let entries = await due(later); entries.length; entries = await due(later)) {
    for (const [index, entry] of entries.entries()) {
      const left = later.size + entries.length - index;
      let answer;
      try {
        answer = await handInEntry(entry);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        const strange = error instanceof Strange;
        await inVain(entry.order, heard || (strange && error.refused));
        deaf += 1;
        if (!strange || deaf >= DEAF) {
          tell({ kind: "changed" });
          return { left, after, signedOut: false };
        }
        later.add(entry.order);
        continue;
      }
      [heard, deaf] = [true, 0];
      if (answer.status === 401 || answer.body.code === "kiosk_disabled") {
        return { left, after: 0, signedOut: true };
      }
      if (busy(answer.status)) {
        await inVain(entry.order, false);
        later.add(entry.order);
        after = Math.max(after, answer.after);
      } else if (answer.status !== 202) {
        const refused = answer.body.code || "unknown";
        await change(entry.order, () => ({ refused, tries: 0, strange: 0 }));
      }
    }
  }
  tell({ kind: "changed" });
  return { left: later.size, after, signedOut: false };
}

/** @param {Set<number>} later */
const due = async (later) =>
  (await waiting())
    .filter((entry) => !entry.refused && !later.has(entry.order))
    .sort((one, other) => (one.tries ?? 0) - (other.tries ?? 0) || one.order - other.order);

/**
 * The photos of one entry, until one is not taken; the last answer.
 *
 * @param {Entry} entry
 * @returns {Promise<import("./send.js").Answer>}
 */
async function handInEntry(entry) {
  const { order } = entry;
  let { fields } = entry;
  let answer = { status: 202, body: /** @type {any} */ ({}), after: 0 };
  for (const [index, photo] of entry.photos.entries()) {
    const progress = (/** @type {number | null} */ share) => tell({ kind: "progress", order, share });
    progress(null);
    const following = entry.photos.length - 1 - index;
    const said = { ...fields, client_id: photo.id, following };
    answer = await send(said, photo.bytes, progress);
    if (answer.status !== 202) break;
    // The end of the number goes on saying whose a case of another kiosk is.
    const { case: code } = answer.body;
    fields = fields.case && fields.phone ? { case: code, phone: fields.phone } : { case: code };
    await taken(order, photo, fields, answer.body.correction === "not_taken");
  }
  return answer;
}

/**
 * The server has this photo: what is left of the entry joins its case.
 *
 * @param {number} order @param {Named} photo @param {Record<string, any>} fields
 * @param {boolean} uncorrected the photo was there before, and stays with what was said then
 */
async function taken(order, photo, fields, uncorrected) {
  await stored(async (db) => {
    const transaction = db.transaction([UPLOADS, KEPT], "readwrite");
    const [uploads, kept] = [transaction.objectStore(UPLOADS), transaction.objectStore(KEPT)];
    for (const key of uncorrected ? ["watched", "uncorrected"] : ["watched"]) {
      /** @type {string[]} */
      const codes = (await kept.get(key)) ?? [];
      await kept.put([fields.case, ...codes.filter((code) => code !== fields.case)], key);
    }
    /** @type {Entry | undefined} */
    const entry = await uploads.get(order);
    const photos = entry?.photos.filter(({ id }) => id !== photo.id) ?? [];
    const told = entry?.told ?? (entry?.fields.case ? undefined : entry?.fields);
    if (photos.length) await uploads.put({ ...entry, fields, told, photos, tries: 0, strange: 0 });
    else await uploads.delete(order);
    await transaction.done;
  });
  tell({ kind: "accepted", case: fields.case });
}

/** @param {number} order @param {boolean} alone whether it was this one's trouble */
const inVain = (order, alone) =>
  change(order, ({ tries = 0, strange = 0 }) => ({ tries: tries + 1, strange: strange + Number(alone) }));

/** @param {number} order @param {(entry: Entry) => Partial<Entry>} changes */
const change = (order, changes) =>
  stored(async (db) => {
    const transaction = db.transaction(UPLOADS, "readwrite");
    /** @type {Entry | undefined} */
    const entry = await transaction.store.get(order);
    if (entry) await transaction.store.put({ ...entry, ...changes(entry) });
    await transaction.done;
  });
