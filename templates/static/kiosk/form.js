// The form: photos, and whom and what they are about. Ends with an entry in the queue.

import * as photos from "./photos.js";
import * as queue from "./queue.js";

const $ = (id) => document.getElementById(id);
const form = $("photo-form");
const PLACES_KEPT = 30;

let more = null; // code of the case that gets more photos
let correcting = null; // entry that was refused

/** @param {{names: object, saved: () => void}} page texts by key, and what to do after saving */
export async function start(page) {
  form.hidden = false;
  for (const button of form.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => $(button.dataset.pick).click());
  }
  photos.start(page.names);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit(page);
  });
  form.addEventListener("input", (event) => hideFault(event.target.name || event.target.id));
  $("phone").addEventListener("blur", (event) => (event.target.value = grouped(event.target.value)));
  $("no-phone").addEventListener("change", noPhone);
  $("cancel-more").addEventListener("click", clear);
  await remembered();
}

/** Photos in the form have not been sent: only whoever took them may throw them away. */
const mayBeCleared = (names) => !photos.any() || confirm(names.kiosk_js_discard_sure);

/** More photos for a case, `room` at most: nothing else is asked for. */
export function askMore(code, who, names, room) {
  if (more === code) return form.scrollIntoView();
  if (!mayBeCleared(names)) return;
  clear();
  photos.use([], room);
  more = code;
  $("form-title").textContent = names.kiosk_js_more_of.replace("{case}", code);
  $("more-of").textContent = `${who} ${names.kiosk_js_more_how}`;
  $("more-of").hidden = $("cancel-more").hidden = false;
  $("about").hidden = true;
  form.scrollIntoView();
  form.querySelector("[data-pick]").focus();
}

/** A refused entry again, to be put right; its photos are still here. */
export function correct(entry, names) {
  if (correcting?.order === entry.order) return form.scrollIntoView();
  if (!mayBeCleared(names)) return;
  clear();
  correcting = entry;
  photos.use(entry.photos);
  for (const [name, value] of Object.entries(queue.correctable(entry))) {
    const field = form.elements[name];
    if (field) field.value = value;
  }
  $("cancel-more").hidden = false;
  form.scrollIntoView();
  $("phone").focus();
}

async function submit(page) {
  const chosen = await photos.chosen();
  if (!chosen.length) return photos.complain(page.names.kiosk_js_photo_missing);
  if (!more && !(complete() && (await confirmed()))) return;
  const fields = more ? { case: more } : told();
  try {
    if (correcting) await queue.correct(correcting.order, fields, chosen);
    else await queue.add(fields, chosen);
  } catch (error) {
    if (error.name !== "QuotaExceededError") throw error;
    return photos.complain(page.names.kiosk_js_storage_full);
  }
  if (!more) await remember(fields);
  clear();
  $("saved").hidden = false;
  $("saved").scrollIntoView({ block: "center" });
  page.saved();
}

function told() {
  const fields = {};
  for (const name of ["phone", "crop", "language", "place", "stage", "plants", "sprayed"]) {
    fields[name] = form.elements[name].value.trim();
  }
  return fields;
}

/** Whether all that is needed is there; what is not is named, and the first of it shown. */
function complete() {
  const right = {
    crop: form.elements.crop.value !== "",
    phone: isNumber($("phone")),
    consent: $("consent").checked,
  };
  const faults = Object.keys(right).filter((name) => !right[name]);
  for (const name of Object.keys(right)) {
    form.querySelector(`[data-fault=${name}]`).hidden = right[name];
    const field = form.elements[name];
    for (const input of field instanceof RadioNodeList ? field : [field]) {
      input.setAttribute("aria-invalid", String(!right[name]));
    }
  }
  if (!faults.length) return true;
  const field = form.elements[faults[0]];
  (field instanceof RadioNodeList ? field[0] : field).focus();
  return false;
}

function hideFault(name) {
  const fault = name && form.querySelector(`[data-fault="${name}"]`);
  if (fault) fault.hidden = true;
}

/** A first check; the server has the last word, when there is a network. */
function isNumber({ value, dataset }) {
  const typed = value.replace(/[\s().\/-]/g, "").replace(/^00/, "+");
  const national = new RegExp(`^(?:${dataset.national})$`);
  if (!typed.startsWith("+")) return national.test(typed);
  const own = `+${dataset.country}`;
  if (dataset.country && typed.startsWith(own)) return national.test(typed.slice(own.length));
  return /^\+[1-9]\d{7,14}$/.test(typed);
}

/** In threes, as it is read aloud. */
function grouped(value) {
  const digits = value.replace(/[\s().\/-]/g, "");
  return /^\+?\d+$/.test(digits) ? digits.replace(/(\d{3,4})(?=(\d{3})+$)/g, "$1 ") : value.trim();
}

function confirmed() {
  const dialog = $("confirm");
  $("confirm-phone").textContent = grouped($("phone").value);
  const crop = form.querySelector("[name=crop]:checked").closest("label").textContent.trim();
  $("confirm-crop").textContent = [crop, $("place").value.trim()].filter(Boolean).join(" · ");
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

function clear() {
  const habits = form.elements.language.value;
  form.reset();
  form.elements.language.value = habits;
  more = correcting = null;
  photos.use();
  $("form-title").textContent = $("form-title").dataset.text ??= $("form-title").textContent;
  for (const id of ["more-of", "cancel-more", "no-phone-hint", "saved"]) {
    $(id).hidden = true;
  }
  for (const fault of form.querySelectorAll("[data-fault]")) fault.hidden = true;
  $("about").hidden = false;
}

/** The kiosk's own number, for a farmer who has no phone; asked for once. */
async function noPhone(event) {
  const chosen = event.target.checked;
  $("no-phone-hint").hidden = !chosen;
  const { value } = $("phone");
  const own = (chosen && (await queue.kept("own-phone"))) || "";
  if ($("phone").value !== value || $("no-phone").checked !== chosen) return; // typed meanwhile
  $("phone").value = own;
  if (!own) $("phone").focus();
}

async function remember(fields) {
  if ($("no-phone").checked) await queue.keep("own-phone", grouped(fields.phone));
  await queue.keep("language", fields.language);
  if (fields.place) {
    const places = ((await queue.kept("places")) ?? []).filter((place) => place !== fields.place);
    await queue.keep("places", [fields.place, ...places].slice(0, PLACES_KEPT));
  }
  await remembered();
}

async function remembered() {
  form.elements.language.value = (await queue.kept("language")) ?? document.documentElement.lang;
  const places = (await queue.kept("places")) ?? [];
  $("places").replaceChildren(...places.map((place) => new Option(place, place)));
}
