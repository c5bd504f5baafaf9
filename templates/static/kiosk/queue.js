// What waits on this phone to be handed in. Used by the page and by the service worker.
//
// An entry is one plant: its photos, and what was said with them. It is written before anything is
// sent. The first photo makes the case, the others join it, and what was said stays beside it as
// `told`; each is taken off the entry only when the server has said that it has it on disk. A
// photo's id is made here, once, so that sending it twice changes nothing. Order is the order of
// writing; the phone's clock is never asked.

import { openDB } from "../vendor/idb/index.js";
import { NoAnswer, send } from "./send.js";

const UPLOADS = "uploads";
const KEPT = "kept";
const LOCK = "leafline-kiosk-queue";
const OVER = new Set(["case_closed", "case_full", "case_not_found"]); // no photos join that case
export const SYNC_TAG = "leafline-kiosk-queue";

let opened;
const database = () =>
  (opened ??= openDB("leafline-kiosk", 1, {
    upgrade(db) {
      db.createObjectStore(UPLOADS, { keyPath: "order", autoIncrement: true });
      db.createObjectStore(KEPT);
    },
  }));

const channel = new BroadcastChannel("leafline-kiosk");

/** Calls back with {kind, ...} on each change, made in whichever tab: changed, progress, accepted. */
export function onChange(listener) {
  channel.addEventListener("message", (event) => listener(event.data));
  listeners.push(listener);
}
const listeners = [];
function tell(change) {
  channel.postMessage(change);
  for (const listener of listeners) listener(change);
}

function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // randomUUID needs https
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const named = (photos) =>
  photos.map(({ id, bytes, preview }) => ({ id: id ?? newId(), bytes, preview }));

/**
 * Write a plant down. Throws when the phone's storage is full.
 *
 * @param {object} fields what was said; `case` alone where the photos join a case
 * @param {{bytes: ArrayBuffer, preview: string}[]} photos
 */
export async function add(fields, photos) {
  await (await database()).add(UPLOADS, { fields, photos: named(photos), refused: null });
  tell({ kind: "changed" });
}

export const waiting = async () => (await database()).getAll(UPLOADS);

export async function discard(order) {
  await (await database()).delete(UPLOADS, order);
  tell({ kind: "changed" });
}

/**
 * What the form shows so that a refused entry can be put right; null where nothing in it would
 * help. Photos that came too late for their case make another one.
 */
export function correctable({ fields, told, refused }) {
  if (!fields.case) return fields;
  return OVER.has(refused) ? (told ?? {}) : null;
}

/** Let a refused entry be sent again, corrected; anew, if another tab has thrown it away. */
export async function correct(order, fields, photos) {
  const db = await database();
  if (!(await db.get(UPLOADS, order))) return add(fields, photos);
  await db.put(UPLOADS, { order, fields, photos: named(photos), refused: null });
  tell({ kind: "changed" });
}

/** Small things that outlive the page: the last list, cases to watch, the agent's habits. */
export const kept = async (key) => (await database()).get(KEPT, key);
export const keep = async (key, value) => (await database()).put(KEPT, value, key);

/** Codes whose answers this phone waits for or shows, newest first. */
export const watched = async () => (await kept("watched")) ?? [];

export async function unwatch(codes) {
  const transaction = (await database()).transaction(KEPT, "readwrite");
  const left = ((await transaction.store.get("watched")) ?? []).filter((c) => !codes.includes(c));
  await transaction.store.put(left, "watched");
  await transaction.done;
}

/** Forget everything but what waits. */
export const forget = async () => (await database()).clear(KEPT);

let draining = null;

/**
 * Hand in what waits, one photo after the other, in one tab at a time; a second tab waits its turn,
 * and goes on where a closed one stopped.
 *
 * @returns {Promise<{left: number, after: number, signedOut: boolean}>} `left` entries are to be
 *   tried again, not before `after` seconds.
 */
export function drain() {
  draining ??= turn().finally(() => (draining = null));
  return draining;
}

const turn = () => (navigator.locks ? navigator.locks.request(LOCK, handIn) : handIn());

async function handIn() {
  const later = new Set(); // orders of entries that the server could not take in just now
  let after = 0;
  // Again and again, for more may have been written down while these were sent.
  for (let entries; (entries = await due(later)).length; ) {
    for (const [index, entry] of entries.entries()) {
      const left = later.size + entries.length - index;
      let answer;
      try {
        answer = await handInEntry(entry);
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error;
        tell({ kind: "changed" });
        return { left, after, signedOut: false };
      }
      if (answer.status === 401 || answer.body.code === "kiosk_disabled") {
        return { left, after: 0, signedOut: true };
      }
      if (busy(answer.status)) {
        later.add(entry.order);
        after = Math.max(after, answer.after);
      } else if (answer.status !== 202) {
        await refuse(entry.order, answer.body.code);
      }
    }
  }
  tell({ kind: "changed" });
  return { left: later.size, after, signedOut: false };
}

const busy = (status) => status >= 500 || status === 429 || status === 408;

const due = async (later) =>
  (await waiting()).filter((entry) => !entry.refused && !later.has(entry.order));

/** The photos of one entry, until one is not taken; the last answer. */
async function handInEntry(entry) {
  const { order } = entry;
  let { fields } = entry;
  let answer;
  for (const [index, photo] of entry.photos.entries()) {
    const progress = (share) => tell({ kind: "progress", order, share });
    progress(null);
    const following = entry.photos.length - 1 - index;
    const said = { ...fields, client_id: photo.id, following };
    answer = await send(said, photo.bytes, progress);
    if (answer.status !== 202) break;
    fields = { case: answer.body.case };
    await taken(order, photo, fields);
  }
  return answer;
}

/** The server has this photo: what is left of the entry joins its case. */
async function taken(order, photo, fields) {
  const db = await database();
  const transaction = db.transaction([UPLOADS, KEPT], "readwrite");
  const [uploads, kept] = [transaction.objectStore(UPLOADS), transaction.objectStore(KEPT)];
  const watched = (await kept.get("watched")) ?? [];
  await kept.put([fields.case, ...watched.filter((code) => code !== fields.case)], "watched");
  const entry = await uploads.get(order);
  const photos = entry?.photos.filter(({ id }) => id !== photo.id) ?? [];
  const told = entry?.told ?? (entry?.fields.case ? undefined : entry?.fields);
  if (photos.length) await uploads.put({ ...entry, fields, told, photos });
  else await uploads.delete(order);
  await transaction.done;
  tell({ kind: "accepted", case: fields.case });
}

async function refuse(order, code) {
  const db = await database();
  const current = await db.get(UPLOADS, order);
  if (current) await db.put(UPLOADS, { ...current, refused: code || "unknown" });
}
