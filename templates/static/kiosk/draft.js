// What stands in the form, kept on the phone until it is sent or thrown away, each tab's its own.

import * as queue from "./queue.js";

/**
 * @typedef {object} Photos
 * @property {import("./photos.js").Photo[]} photos
 * @property {number} room
 * @property {import("./form.js").More | null} more
 * @property {import("./queue.js").Entry | null} correcting
 * @typedef {{fields: Record<string, any>, photos: Photos}} Draft
 */

const tab = tabsName();
const key = (/** @type {string} */ name, /** @type {string} */ part) => `draft:${name}:${part}`;

let writing = Promise.resolve();
let written = 0;
let wanted = 0;
/** @type {unknown[]} */
let last = []; // the photos that are kept now

// Held as long as the tab lives, so that another knows whose draft is left over.
navigator.locks?.request(key(tab, "lock"), () => new Promise(() => {}));

/** The same after the page was loaded anew. */
function tabsName() {
  const fresh = String(crypto.getRandomValues(new Uint32Array(1))[0]);
  try {
    const name = sessionStorage.getItem("tab") ?? fresh;
    sessionStorage.setItem("tab", name);
    return name;
  } catch {
    return fresh; // no storage for a session: then the draft is left over, and found as such
  }
}

/** Whether all that was to be kept is on the phone. */
export const safe = () => written === wanted;

/**
 * @param {Record<string, any> | null} fields nothing to keep where null
 * @param {Photos} photos
 */
export function keep(fields, photos) {
  const now = { ...photos, photos: [...photos.photos] };
  const mine = ++wanted;
  writing = writing.then(() => write(fields, now)).then(
    () => {
      written = mine;
    },
    (error) => {
      last = [];
      console.warn("what stands in the form is not kept:", error);
    },
  );
}

/** @param {Record<string, any> | null} fields @param {Photos} photos */
async function write(fields, photos) {
  if (!fields) {
    last = [];
    await queue.drop(key(tab, "fields"));
    return queue.drop(key(tab, "photos"));
  }
  // Photos are large: written only when they are others.
  const { photos: list, room, more, correcting } = photos;
  const these = [more, correcting, room, ...list];
  if (these.length !== last.length || these.some((one, at) => one !== last[at])) {
    await queue.keep(key(tab, "photos"), photos);
    last = these;
  }
  await queue.keep(key(tab, "fields"), fields);
}

/**
 * This tab's draft, else one that a closed tab has left.
 *
 * @returns {Promise<Draft | null>}
 */
export async function found() {
  const keys = await queue.drafts();
  const names = [...new Set(keys.map((one) => one.split(":")[1]))];
  const alive = new Set((await navigator.locks?.query())?.held?.map((lock) => lock.name));
  const left = names.filter((name) => name !== tab && !alive.has(key(name, "lock")));
  for (const name of [tab, ...left]) {
    const fields = await queue.kept(key(name, "fields"));
    const photos = await queue.kept(key(name, "photos"));
    if (!fields || !photos) continue;
    if (name !== tab) {
      keep(fields, photos);
      await writing;
      for (const part of ["fields", "photos"]) await queue.drop(key(name, part));
    }
    return { fields, photos };
  }
  return null;
}
