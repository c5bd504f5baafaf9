// The kiosk's page: form, queue and results, tied together.

import * as form from "./form.js";
import * as queue from "./queue.js";
import * as show from "./show.js";
import * as today from "./today.js";

const RETRY = { first: 5, most: 120 }; // seconds

const $ = (id) => document.getElementById(id);
const names = JSON.parse($("names").textContent);
let retry = RETRY.first;
let timer = null;

async function handIn() {
  clearTimeout(timer);
  const { left, after, signedOut } = await queue.drain();
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
  today.ask(seen, { soon: true });
}

async function seen(outcome) {
  $("offline").hidden = outcome !== "offline" && navigator.onLine;
  $("signed-out").hidden = outcome !== "signed-out";
  if (outcome !== "offline" && (await queue.waiting()).some((entry) => !entry.refused)) handIn();
  await redraw();
}

async function redraw() {
  const [entries, list, watched] = await Promise.all([
    queue.waiting(),
    today.cases(),
    queue.watched(),
  ]);
  show.waiting(entries, names, {
    correct: (entry) => form.correct(entry, names),
    discard: (entry) => confirm(names.kiosk_js_discard_sure) && queue.discard(entry.order),
  });
  show.results(watched, list, names, {
    more: (one, who, room) => form.askMore(one.case, who, names, room),
    done: unwatch,
  });
  show.today(list, names);
}

async function unwatch(code) {
  await queue.unwatch([code]);
  await redraw();
}

async function saved() {
  again();
  navigator.storage?.persist?.();
  const worker = await navigator.serviceWorker?.getRegistration("/kiosk");
  // The browser itself wakes the worker when the network is back, even after this page is gone.
  await worker?.sync?.register(queue.SYNC_TAG).catch(() => {});
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
    today.ask(seen, { soon: true });
  }
  redraw();
});
addEventListener("online", again);
addEventListener("offline", () => ($("offline").hidden = false));
addEventListener("hashchange", askedFor);
document.addEventListener("visibilitychange", () => document.hidden || again());
$("sign-out").addEventListener("submit", async (event) => {
  event.preventDefault();
  if ((await queue.waiting()).length && !confirm(names.kiosk_js_sign_out_waiting)) return;
  const { target } = event;
  let answer;
  try {
    answer = await fetch(target.action, { method: "POST", body: new FormData(target) });
  } catch {
    $("offline").hidden = false;
    return;
  }
  if (!answer.redirected) return target.submit(); // whoever answers says in a page what is the matter
  await queue.forget();
  location.assign(answer.url);
});
$("send-now").addEventListener("click", again);

await form.start({ names, saved });
askedFor();
await redraw();
again();
navigator.serviceWorker
  ?.register("/kiosk/worker.js", { type: "module", scope: "/kiosk" })
  .catch((error) => console.info("offline start is not possible here:", error.message));
