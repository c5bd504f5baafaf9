// Draws what waits, what has come and the day's list. Nothing here decides anything.

import { bounds } from "./bounds.js";
import { correctable, stuck } from "./queue.js";

/**
 * @typedef {Record<string, string>} Names
 * @typedef {import("./today.js").Case} Case
 * @typedef {import("./queue.js").Entry} Entry
 */

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** @param {string} template */
function made(template) {
  const root = $(template).content.firstElementChild.cloneNode(true);
  return { root, part: (/** @type {string} */ name) => root.querySelector(`[data-part=${name}]`) };
}

/** @param {Case} one @param {Names} names */
function who(one, names) {
  const crop = names[`crop_${one.crop}`];
  const count = counted(one.photos, names);
  return [`…${one.phone_last4}`, crop, one.place, count].filter(Boolean).join(" · ");
}

/** Nothing for a single photo, which needs no saying. @param {number} photos @param {Names} names */
const counted = (photos, names) =>
  photos > 1 && names.kiosk_js_photos.replace("{count}", String(photos));

/**
 * @typedef {{more: (one: Case, who: string, room: number) => void,
 *   done: (code: string) => void}} ResultActs what the buttons do
 *
 * @param {string[]} watched
 * @param {string[]} uncorrected codes of cases that stay with what was said first
 * @param {Case[]} list
 * @param {Names} names
 * @param {ResultActs} act
 */
export function results(watched, uncorrected, list, names, act) {
  const found = watched.map((code) => ({
    ...(list.find((one) => one.case === code) ?? { case: code }),
    uncorrected: uncorrected.includes(code),
  }));
  // Drawn anew only when something changed, so that a screen reader says it once.
  const key = JSON.stringify(found);
  if ($("results").dataset.key === key) return;
  $("results").dataset.key = key;
  $("results").replaceChildren(...found.map((one) => result(one, names, act)));
}

/** @param {Case} one @param {Names} names @param {ResultActs} act */
function result(one, names, act) {
  const { root, part } = made("result-template");
  const told = Boolean(one.message) && !bounds.states.thinking.includes(one.state);
  const wanted = one.state === "photo_requested";
  root.dataset.case = one.case;
  root.toggleAttribute("data-wanted", wanted);
  part("case").textContent = one.case;
  part("who").textContent = one.state ? who(one, names) : "";
  part("state").textContent = names[`state_${one.state ?? "received"}`];
  part("pending").hidden = told;
  part("read").hidden = part("slip").hidden = part("done").hidden = !told;
  part("uncorrected").hidden = !one.uncorrected;
  const room = bounds.photos - (one.photos ?? 0);
  part("more").hidden = !told || one.state === "closed" || room <= 0;
  part("more").classList.toggle("quiet", !wanted);
  part("message").textContent = told ? one.message : "";
  part("message").hidden = !told;
  part("no-sms").hidden = one.sms !== false;
  if (one.language) part("message").lang = one.language;
  part("slip").href = `/kiosk/cases/${one.case}/slip`;
  part("more").addEventListener("click", () => act.more(one, who(one, names), room));
  part("done").addEventListener("click", () => act.done(one.case));
  return root;
}

/**
 * @typedef {Record<"correct" | "keep" | "discard", (entry: Entry) => void>} QueueActs
 *
 * @param {Entry[]} entries
 * @param {Names} names
 * @param {QueueActs} act
 */
export function waiting(entries, names, act) {
  $("queue-part").hidden = $("queue-note").hidden = !entries.length;
  for (const count of document.querySelectorAll("[data-count]")) count.textContent = String(entries.length);
  $("queue").replaceChildren(...entries.map((entry) => upload(entry, names, act)));
}

/** @param {Entry} entry @param {Names} names @param {QueueActs} act */
function upload(entry, names, act) {
  const { root, part } = made("queue-template");
  root.dataset.order = entry.order;
  part("previews").append(...entry.photos.map(({ preview }) => pictured(preview)));
  const count = counted(entry.photos.length, names);
  part("who").textContent = [entry.fields.case ?? entry.fields.phone, count].filter(Boolean).join(" · ");
  const refusal = entry.refused && (names[`kiosk_js_refused_${entry.refused}`] ?? names.kiosk_js_refused);
  const inVain = !entry.refused && stuck(entry);
  part("state").textContent = refusal || (inVain ? names.kiosk_js_stuck : names.kiosk_js_waits);
  part("state").classList.toggle("bad", Boolean(refusal) || inVain);
  part("repair").hidden = !entry.refused && !inVain;
  part("keep").hidden = !inVain;
  part("keep").addEventListener("click", () => act.keep(entry));
  part("correct").hidden = !correctable(entry);
  part("correct").addEventListener("click", () => act.correct(entry));
  part("discard").addEventListener("click", () => act.discard(entry));
  return root;
}

/** @param {string} preview a data URL; empty where the phone could not show the photo */
function pictured(preview) {
  const image = new Image(64, 64);
  if (preview) image.src = preview;
  image.alt = "";
  return image;
}

/**
 * @param {number} order
 * @param {number | null} share how much of a photo has gone, 0 to 1; null where nobody can know
 * @param {Names} names
 */
export function progress(order, share, names) {
  const root = /** @type {any} */ (document.querySelector(`#queue [data-order="${order}"]`));
  if (!root) return;
  const bar = root.querySelector("[data-part=progress]");
  bar.hidden = false;
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
  root.querySelector("[data-part=state]").textContent = names.kiosk_js_sending;
}

/** @param {Case[]} list @param {Names} names */
export function today(list, names) {
  $("today-part").hidden = !list.length;
  $("today").replaceChildren(
    ...list.map((one) => {
      const { root, part } = made("today-template");
      part("link").href = `/kiosk/cases/${one.case}`;
      part("case").textContent = one.case;
      part("who").textContent = who(one, names);
      part("state").textContent = names[`state_${one.state}`];
      return root;
    }),
  );
}
