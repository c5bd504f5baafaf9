// The kiosk's service worker: opens the page without a network, and hands in what waits.

import { drain, forget, SYNC_TAG } from "./queue.js";

const SHELL = "/kiosk";
const DOORS = ["/kiosk/pair", "/kiosk/sign-out"];
const HEAD_START = 1000; // milliseconds for an open page, which can show progress
const PATIENCE = 4000; // milliseconds for a network that is there but does not answer

// The check knows windows and workers apart, and this script is of the rarer kind.
const scope = /** @type {any} */ (globalThis);

let VERSION = "";
let CACHE = "";
/** @type {string[]} */
let FILES = [];

/** @param {string} version of the page and its files @param {string[]} files addresses */
export function serve(version, files) {
  VERSION = version;
  CACHE = `leafline-kiosk-${version}`;
  FILES = files;
}

let owner = 0; // another number once another kiosk is signed in here, or none

scope.addEventListener("install", (/** @type {any} */ event) => {
  event.waitUntil(
    (async () => {
      await Promise.all(FILES.map(keepFile));
      const answer = await renewShell(new Request(SHELL));
      // Nobody signed in is no fault; a page of somebody else's is, and the browser tries again.
      if (!atDoor(answer) && !(await ours(answer))) throw new Error("the page did not come whole");
      await scope.skipWaiting();
    })(),
  );
});

/** What came before the line failed is not asked for again. @param {string} address */
async function keepFile(address) {
  const cache = await caches.open(CACHE);
  if (await cache.match(address)) return;
  const answer = await fetch(address);
  const kind = answer.headers.get("Content-Type") ?? "";
  if (!answer.ok || answer.redirected || kind.startsWith("text/html")) {
    throw new Error(`${address} did not come`);
  }
  await cache.put(address, answer);
}

scope.addEventListener("activate", (/** @type {any} */ event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith("leafline-kiosk-"));
      await Promise.all(old.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
      await scope.clients.claim();
    })(),
  );
});

scope.addEventListener("sync", (/** @type {any} */ event) => {
  if (event.tag === SYNC_TAG) event.waitUntil(handIn());
});

async function handIn() {
  const pages = await scope.clients.matchAll({ type: "window" });
  if (pages.length) await new Promise((resolve) => setTimeout(resolve, HEAD_START));
  const { left, signedOut } = await drain();
  if (left && !signedOut) throw new Error("the browser tries again later");
}

scope.addEventListener("fetch", (/** @type {any} */ event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.method === "POST" && DOORS.includes(pathname)) {
    event.respondWith(changeOfOwner(event.request));
  }
  if (event.request.method !== "GET") return;
  if (event.request.mode === "navigate") {
    if (pathname === SHELL) event.respondWith(shell(event));
    else if (pathname !== "/kiosk/pair") event.respondWith(page(event.request));
  } else if (pathname.startsWith("/static/")) {
    event.respondWith(file(event.request));
  }
});

const file = async (/** @type {Request} */ request) => (await caches.match(request)) ?? fetch(request);

/** The page at once as it was last time, and anew for the next time; a new language at once. */
async function shell(/** @type {any} */ event) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(SHELL);
  const fresh = renewShell(event.request);
  event.waitUntil(fresh.catch(() => {}));
  if (!kept) return fresh;
  if (!new URL(event.request.url).search) return kept;
  const known = fresh.then(async (answer) =>
    (await marked(answer)) || !(await cache.match(SHELL)) ? answer : kept,
  );
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, kept));
  return Promise.race([known.catch(() => kept), late]);
}

const elsewhere = (/** @type {Response} */ answer) => answer.redirected || answer.type === "opaqueredirect";

/** Whether the house sent the page's asker to its door; a Wi-Fi sends him to its own. */
const atDoor = (/** @type {Response} */ answer) =>
  answer.redirected &&
  new URL(answer.url).origin === location.origin &&
  new URL(answer.url).pathname === "/kiosk/pair";

/** The version of the page that came, with its end; null where it is not whole or not ours. */
async function marked(/** @type {Response} */ answer) {
  if (!answer.ok || answer.type !== "basic" || answer.redirected) return null;
  const text = await answer.clone().text();
  const [, version] = text.match(/<meta name="leafline-shell" content="([0-9a-f]+)">/) ?? [];
  return text.trimEnd().endsWith("</html>") ? (version ?? null) : null;
}

/** Whether it is the page whose files are kept here. */
const ours = async (/** @type {Response} */ answer) => (await marked(answer)) === VERSION;

/** Another kiosk, or none, from now on: the page, list and habits kept here are of the one before. */
async function changeOfOwner(/** @type {Request} */ request) {
  const answer = await fetch(request);
  if (elsewhere(answer)) {
    owner += 1;
    await Promise.all([caches.open(CACHE).then((cache) => cache.delete(SHELL)), forget()]);
  }
  return answer;
}

async function renewShell(/** @type {Request} */ request) {
  const asked = owner;
  const answer = await fetch(request);
  const cache = await caches.open(CACHE);
  if (asked !== owner) return answer; // made for the one before
  if (await ours(answer)) await cache.put(SHELL, answer.clone());
  else if (elsewhere(answer)) {
    // Where a navigation is sent is not told to a worker, so it goes there itself.
    const end = answer.redirected ? answer : await fetch(SHELL);
    if (atDoor(end) && asked === owner) await cache.delete(SHELL); // signed out
  }
  return answer;
}

async function page(/** @type {Request} */ request) {
  try {
    return await fetch(request);
  } catch {
    return (await (await caches.open(CACHE)).match(SHELL)) ?? Response.error();
  }
}
