// The kiosk's page: form, queue and results, tied together.

import * as form from "./form.js";
import * as queue from "./queue.js";
import * as show from "./show.js";
import * as today from "./today.js";

const RETRY = { first: 5, most: 120 }; // seconds

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));
/** @type {show.Names} */
const names = JSON.parse($("names").textContent);
let retry = RETRY.first;
let timer = 0;

/** Whatever goes wrong here is said; what is on the screen stays. @param {unknown} error */
function fault(error) {
  console.warn("the page met a fault:", error);
  $("fault").textContent = names.kiosk_js_fault;
  $("fault").hidden = false;
}

/**
 * @template {any[]} A
 * @param {(...given: A) => Promise<unknown>} work
 */
const guarded = (work) => (/** @type {A} */ ...given) =>
  work(...given).then(() => ($("fault").hidden = true), fault);

async function handIn() {
  clearTimeout(timer);
  const { left, after, signedOut } = await queue.drain().catch((error) => {
    fault(error);
    return { left: 1, after: 0, signedOut: false };
  });
  $("signed-out").hidden = !signedOut;
  if (signedOut || !left) {
    retry = RETRY.first;
    return;
  }
  const wait = Math.max(after, retry * (0.75 + Math.random() / 2)); // kiosks come back one by one
  timer = setTimeout(handIn, wait * 1000);
  retry = Math.min(retry * 2, RETRY.most);
}

function again() {
  retry = RETRY.first;
  handIn();
  ask();
}

const ask = guarded(() => today.ask(guarded(seen), { soon: true }));

async function seen(/** @type {string} */ outcome) {
  $("offline").hidden = outcome !== "offline" && navigator.onLine;
  $("signed-out").hidden = outcome !== "signed-out";
  if (outcome !== "offline" && (await queue.waiting()).some((entry) => !entry.refused)) handIn();
  await redraw();
}

async function redraw() {
  const [entries, list, day, watched, uncorrected] = await Promise.all([
    queue.waiting(),
    today.cases(),
    today.listed(),
    queue.watched(),
    queue.uncorrected(),
  ]);
  show.waiting(entries, names, {
    correct: (entry) => form.correct(entry, names),
    keep: (entry) => guarded(queue.keepTrying)(entry.order),
    discard: (entry) => confirm(names.kiosk_js_discard_sure) && guarded(queue.discard)(entry.order),
  });
  show.results(watched, uncorrected, list, names, {
    more: (one, who, room) => form.askMore(one.case, who, names, room),
    done: guarded(unwatch),
  });
  show.today(day, names);
}

async function unwatch(/** @type {string} */ code) {
  await queue.unwatch([code]);
  await redraw();
}

async function saved() {
  again();
  navigator.storage?.persist?.();
  const worker = await navigator.serviceWorker?.getRegistration("/kiosk");
  // The browser itself wakes the worker when the network is back, even after this page is gone.
  const sync = /** @type {any} */ (worker)?.sync;
  await sync?.register(queue.SYNC_TAG).catch(() => {});
}

function askedFor() {
  const code = new URLSearchParams(location.hash.slice(1)).get("more");
  if (!code) return;
  history.replaceState(null, "", location.pathname + location.search);
  form.askMore(code, "", names); // the server says if the case has photos enough
}

queue.onChange((change) => {
  if (change.kind === "progress") return show.progress(change.order, change.share, names);
  if (change.kind === "accepted") {
    $("saved").hidden = true;
    ask();
  }
  guarded(redraw)();
});
addEventListener("online", again);
addEventListener("offline", () => ($("offline").hidden = false));
addEventListener("hashchange", askedFor);
document.addEventListener("visibilitychange", () => document.hidden || again());
$("sign-out").addEventListener("submit", (/** @type {any} */ event) => {
  event.preventDefault();
  guarded(signOut)(event.target);
});

async function signOut(/** @type {HTMLFormElement} */ target) {
  if ((await queue.waiting()).length && !confirm(names.kiosk_js_sign_out_waiting)) return;
  if (form.unsent() && !confirm(names.kiosk_js_discard_sure)) return;
  let answer;
  try {
    answer = await fetch(target.action, { method: "POST", body: new FormData(target) });
  } catch {
    $("offline").hidden = false;
    return;
  }
  if (!answer.redirected) return target.submit(); // whoever answers says in a page what is the matter
  form.clear();
  await queue.forget({ drafts: true });
  location.assign(answer.url);
}
$("send-now").addEventListener("click", again);

document.documentElement.dataset.started = "yes"; // for start.js
addEventListener("unhandledrejection", (event) => fault(event.reason));
if (!("indexedDB" in globalThis)) fault("no IndexedDB");
await form.start({ names, saved: guarded(saved) }).catch(fault);
askedFor();
await redraw().catch(fault);
again();
navigator.serviceWorker
  ?.register("/kiosk/worker.js", { type: "module", scope: "/kiosk" })
  .catch((error) => console.info("offline start is not possible here:", error.message));
