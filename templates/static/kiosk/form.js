// The form: photos, and whom and what they are about. Ends with an entry in the queue.

import * as draft from "./draft.js";
import { grouped, possible } from "./phone.js";
import * as photos from "./photos.js";
import * as queue from "./queue.js";

/**
 * @typedef {Record<string, string>} Names
 * @typedef {{names: Names, saved: () => void}} Page texts by key, and what to do after saving
 * @typedef {{code: string, who: string, room?: number, last4?: string}} More the case that gets more photos
 */

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
const form = $("photo-form");
const PLACES_KEPT = 30;

/** @type {More | null} */
let more = null;
/** @type {import("./queue.js").Entry | null} */
let correcting = null; // entry that was refused
let sending = false;
let touched = false; // by the agent, since the page was opened
let languageChosen = false;

/** @param {Page} page */
export async function start(page) {
  form.hidden = false;
  form.elements.language.value = document.documentElement.lang;
  for (const button of form.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => $(button.dataset.pick).click());
  }
  photos.start(page.names, keepDraft);
  form.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    submit(page);
  });
  form.addEventListener("input", (/** @type {any} */ event) => {
    touched = true;
    hideFault(event.target.name || event.target.id);
    keepDraft();
  });
  for (const choice of form.elements.language) {
    choice.addEventListener("change", () => {
      languageChosen = true;
      showAgain(correcting);
    });
  }
  $("phone").addEventListener("blur", () => ($("phone").value = grouped($("phone").value)));
  $("no-phone").addEventListener("change", noPhone);
  $("cancel-more").addEventListener("click", clear);
  $("other-form").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const { code, last4 } = /** @type {any} */ (event.target).elements;
    askMore(code.value.trim().toUpperCase(), `…${last4.value}`, page.names, undefined, last4.value);
    if (more) /** @type {any} */ (event.target).reset();
  });
  // A draft that could not be kept is not left unasked.
  addEventListener("beforeunload", (event) => {
    if (unsent() && (photos.pending() || !draft.safe())) event.preventDefault();
  });
  const language = await queue.kept("language");
  if (language && !languageChosen) form.elements.language.value = language;
  await offerPlaces();
  const before = await draft.found();
  if (before && !touched && !unsent() && !more && !correcting) restore(before, page.names);
  else if (unsent()) keepDraft();
}

/** Whether the form holds what was neither sent nor saved. */
export const unsent = () =>
  photos.any() || (!more && ["phone", "place"].some((name) => form.elements[name].value.trim() !== ""));

/** What stands in the form outlives the page, until it is sent or thrown away. */
function keepDraft() {
  const fields = unsent() ? { ...told(), noPhone: $("no-phone").checked, consent: $("consent").checked } : null;
  draft.keep(fields, { ...photos.state(), more, correcting });
}

/** @param {draft.Draft} before @param {Names} names */
function restore({ fields, photos: { photos: list, room, ...of } }, names) {
  if (of.more) showMore(of.more, names);
  correcting = of.correcting;
  photos.use(list, room);
  for (const [name, value] of Object.entries(fields)) {
    if (form.elements[name] && name !== "consent") form.elements[name].value = value;
  }
  $("no-phone").checked = fields.noPhone;
  $("no-phone-hint").hidden = !fields.noPhone;
  $("consent").checked = fields.consent;
  if (correcting) $("cancel-more").hidden = false;
  showAgain(correcting);
}

/** Photos in the form have not been sent: only whoever took them may throw them away. @param {Names} names */
const mayBeCleared = (names) => !photos.any() || confirm(names.kiosk_js_discard_sure);

/**
 * More photos for a case, `room` at most: nothing else is asked for.
 *
 * @param {string} code @param {string} who @param {Names} names @param {number} [room]
 * @param {string} [last4] of the farmer's number, where the case is another kiosk's
 */
export function askMore(code, who, names, room, last4) {
  if (more?.code === code && more.last4 === last4) return form.scrollIntoView();
  if (!mayBeCleared(names)) return;
  clear();
  photos.use([], room);
  showMore({ code, who, room, last4 }, names);
  form.scrollIntoView();
  form.querySelector("[data-pick]").focus();
}

/** @param {More} of @param {Names} names */
function showMore(of, names) {
  more = of;
  const { code, who } = of;
  $("form-title").dataset.text ??= $("form-title").textContent;
  $("form-title").textContent = names.kiosk_js_more_of.replace("{case}", code);
  $("more-of").textContent = `${who} ${names.kiosk_js_more_how}`;
  $("more-of").hidden = $("cancel-more").hidden = false;
  $("about").hidden = true;
}

/**
 * A refused entry again, to be put right; its photos are still here.
 *
 * @param {import("./queue.js").Entry} entry @param {Names} names
 */
export function correct(entry, names) {
  if (correcting?.order === entry.order) return form.scrollIntoView();
  if (!mayBeCleared(names)) return;
  clear();
  correcting = entry;
  photos.use(entry.photos);
  for (const [name, value] of Object.entries(queue.correctable(entry) ?? {})) {
    const field = form.elements[name];
    if (field && name !== "consent") field.value = value;
  }
  showAgain(entry);
  $("cancel-more").hidden = false;
  form.scrollIntoView();
  $("phone").focus();
  keepDraft();
}

/** The question to whoever withdrew their consent, in their language. @param {import("./queue.js").Entry | null} entry */
function showAgain(entry) {
  $("again").hidden = entry?.refused !== "consent_withdrawn";
  for (const words of form.querySelectorAll("[data-again]")) {
    words.hidden = words.dataset.again !== form.elements.language.value;
  }
}

/** @param {Page} page */
async function submit(page) {
  if (sending) return; // a second tap
  sending = true;
  try {
    await save(page);
  } catch (error) {
    console.warn("a plant was not saved:", error);
    photos.complain(page.names.kiosk_js_not_saved);
  } finally {
    sending = false;
  }
}

/** @param {Page} page */
async function save(page) {
  const chosen = await photos.chosen();
  if (!chosen.length) return photos.complain(page.names.kiosk_js_photo_missing);
  if (!more && !(complete() && (await confirmed()))) return;
  const fields = more ? ofCase(more) : told();
  try {
    if (correcting) await queue.correct(correcting.order, fields, chosen);
    else await queue.add(fields, chosen);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "QuotaExceededError") throw error;
    return photos.complain(page.names.kiosk_js_storage_full);
  }
  // It is saved: habits that cannot be kept are no reason to keep the form.
  if (!more) await remember(fields).catch((error) => console.warn("habits were not kept:", error));
  clear();
  $("saved").hidden = false;
  $("saved").scrollIntoView({ block: "center" });
  page.saved();
}

/** @param {More} of @returns {Record<string, string>} */
const ofCase = ({ code, last4 }) => (last4 ? { case: code, phone: last4 } : { case: code });

function told() {
  /** @type {Record<string, any>} */
  const fields = {};
  const facts = ["stage", "plants", "sprayed", "seed", "pods"];
  for (const name of ["phone", "name", "crop", "language", "place", ...facts]) {
    fields[name] = form.elements[name].value.trim();
  }
  fields.phone = grouped(fields.phone);
  fields.consent = $("consent-again").checked ? "again" : "";
  return fields;
}

/** Whether all that is needed is there; what is not is named, and the first of it shown. */
function complete() {
  /** @type {Record<string, boolean>} */
  const right = {
    crop: form.elements.crop.value !== "",
    phone: possible($("phone").value),
    consent: $("consent").checked,
    "consent-again": $("again").hidden || $("consent-again").checked,
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

/** @param {string} name */
function hideFault(name) {
  const fault = name && form.querySelector(`[data-fault="${name}"]`);
  if (fault) fault.hidden = true;
}

/** @returns {Promise<boolean> | boolean} */
function confirmed() {
  const dialog = $("confirm");
  $("confirm-phone").textContent = grouped($("phone").value);
  const crop = form.querySelector("[name=crop]:checked").closest("label").textContent.trim();
  $("confirm-crop").textContent = [crop, $("place").value.trim()].filter(Boolean).join(" · ");
  if (!dialog.showModal) {
    const parts = ["confirm-title", "confirm-phone", "confirm-crop"];
    return confirm(parts.map((id) => $(id).textContent.trim()).join("\n"));
  }
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((done) => {
    dialog.addEventListener("close", () => done(dialog.returnValue === "yes"), { once: true });
  });
}

export function clear() {
  const habits = form.elements.language.value;
  form.reset();
  form.elements.language.value = habits;
  more = correcting = null;
  photos.use();
  $("form-title").textContent = $("form-title").dataset.text ??= $("form-title").textContent;
  for (const id of ["again", "more-of", "cancel-more", "no-phone-hint", "saved"]) {
    $(id).hidden = true;
  }
  for (const fault of form.querySelectorAll("[data-fault]")) fault.hidden = true;
  $("about").hidden = false;
  keepDraft();
}

/** The kiosk's own number, for a farmer who has no phone; asked for once. */
async function noPhone(/** @type {any} */ event) {
  const chosen = event.target.checked;
  $("no-phone-hint").hidden = !chosen;
  const { value } = $("phone");
  const own = (chosen && (await queue.kept("own-phone"))) || "";
  if ($("phone").value !== value || $("no-phone").checked !== chosen) return; // typed meanwhile
  $("phone").value = own;
  if (!own) $("phone").focus();
  keepDraft();
}

/** @param {Record<string, string>} fields */
async function remember(fields) {
  if ($("no-phone").checked) await queue.keep("own-phone", grouped(fields.phone));
  await queue.keep("language", fields.language);
  if (fields.place) {
    /** @type {string[]} */
    const before = (await queue.kept("places")) ?? [];
    const places = before.filter((place) => place !== fields.place);
    await queue.keep("places", [fields.place, ...places].slice(0, PLACES_KEPT));
  }
  await offerPlaces();
}

async function offerPlaces() {
  /** @type {string[]} */
  const places = (await queue.kept("places")) ?? [];
  $("places").replaceChildren(...places.map((place) => new Option(place, place)));
}
