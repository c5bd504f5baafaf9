// The photos of one plant that will be sent together: chosen, looked at, taken away again.

import { bounds } from "./bounds.js";
import { BadPicture, prepare } from "./picture.js";

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const most = bounds.photos;

/** @typedef {{id?: string, bytes: ArrayBuffer, flaws?: string[], preview: string}} Photo */

/** @type {Record<string, string>} */
let names = {};
/** @type {Photo[]} */
let list = [];
let room = most;
let busy = 0; // pictures that are made small just now
let work = Promise.resolve();
let changed = () => {};

/** @param {Record<string, string>} texts @param {() => void} onChange of the photos in the form */
export function start(texts, onChange) {
  names = texts;
  changed = onChange;
  for (const id of ["camera", "gallery"]) {
    $(id).addEventListener("change", (/** @type {{target: any}} */ { target }) => {
      const files = [...target.files];
      target.value = ""; // the same file may be chosen again
      const into = list;
      busy += files.length;
      work = work.then(() => add(files, into)).finally(() => (busy -= files.length));
    });
  }
}

/** The chosen photos, once the last of them is made small. */
export async function chosen() {
  await work;
  return list;
}

/** Whether a photo is just being made small. */
export const pending = () => busy > 0;

/** Whether the form has photos, or will have them in a moment. */
export const any = () => list.length + busy > 0;

/** The photos that are ready now, and how many may be here. */
export const state = () => ({ photos: list, room });

/** @param {Photo[]} [photos] @param {number} [free] how many photos the case still takes */
export function use(photos = [], free = most) {
  list = photos;
  room = free;
  $("photo-fault").hidden = true;
  show();
}

export function complain(/** @type {string} */ text) {
  $("photo-fault").textContent = text;
  $("photo-fault").hidden = false;
  $("photo-fault").scrollIntoView({ block: "center" });
}

/** @param {File[]} files @param {Photo[]} into */
async function add(files, into) {
  $("photo-fault").hidden = $("saved").hidden = true;
  for (const file of files) {
    // The form may have gone on to another plant while these were made small.
    if (into !== list) return;
    if (list.length >= room) return complain(names.kiosk_js_photos_full.replace("{most}", String(room)));
    try {
      keep(await prepare(file), into);
    } catch (error) {
      // Such as a phone out of memory: the next photo may do.
      if (!(error instanceof BadPicture)) console.warn("a photo was not prepared:", error);
      complain(names.kiosk_js_bad_picture);
    }
  }
}

/** @param {Photo} photo @param {Photo[]} into */
function keep(photo, into) {
  if (into.some((other) => same(other.bytes, photo.bytes))) return complain(names.kiosk_js_photo_twice);
  into.push(photo);
  if (into === list) show();
  changed();
}

/** @param {ArrayBuffer} one @param {ArrayBuffer} other */
function same(one, other) {
  if (one.byteLength !== other.byteLength) return false;
  const [a, b] = [new Uint8Array(one), new Uint8Array(other)];
  return a.every((byte, at) => byte === b[at]);
}

function show() {
  $("picked").hidden = !list.length;
  $("picked").replaceChildren(...list.map(thumbnail));
  $("picked-count").hidden = !list.length;
  $("picked-count").textContent = names.kiosk_js_photos_of
    ?.replace("{count}", String(list.length))
    .replace("{most}", String(room));
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll("[data-pick]"))) {
    button.disabled = list.length >= room;
    button.classList.toggle("quiet", button.dataset.pick === "gallery" || list.length > 0);
  }
}

/** @param {Photo} photo @param {number} index */
function thumbnail(photo, index) {
  const root = $("photo-template").content.firstElementChild.cloneNode(true);
  const part = (/** @type {string} */ name) => root.querySelector(`[data-part=${name}]`);
  part("preview").hidden = !photo.preview;
  part("unseen").hidden = Boolean(photo.preview);
  if (photo.preview) part("preview").src = photo.preview;
  part("preview").alt = `${part("preview").alt} ${index + 1}`;
  part("flaws").textContent = (photo.flaws ?? []).map((flaw) => names[`kiosk_js_flaw_${flaw}`]).join(" ");
  part("flaws").hidden = !photo.flaws?.length;
  part("remove").setAttribute("aria-label", `${part("remove").textContent.trim()} ${index + 1}`);
  part("remove").addEventListener("click", () => {
    list.splice(index, 1);
    $("photo-fault").hidden = true;
    show();
    changed();
    /** @type {HTMLElement} */ (document.querySelector("[data-pick]")).focus();
  });
  return root;
}
