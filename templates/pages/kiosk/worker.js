// The kiosk's service worker: opens the page without a network, and hands in what waits.

import { drain, forget, SYNC_TAG } from "/static/{{ version }}/kiosk/queue.js";

const CACHE = "leafline-kiosk-{{ version }}";
const FILES = {{ files|tojson }};
const SHELL = "/kiosk";
const DOORS = ["/kiosk/pair", "/kiosk/sign-out"];
const HEAD_START = 1000; // milliseconds for an open page, which can show progress
const PATIENCE = 4000; // milliseconds for a network that is there but does not answer

let owner = 0; // another number once another kiosk is signed in here, or none

addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(CACHE);
      await cache.addAll(FILES);
      await renewShell(new Request(SHELL));
      await skipWaiting();
    })(),
  );
});

addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const old = (await caches.keys()).filter((name) => name.startsWith("leafline-kiosk-"));
      await Promise.all(old.filter((name) => name !== CACHE).map((name) => caches.delete(name)));
      await clients.claim();
    })(),
  );
});

addEventListener("sync", (event) => {
  if (event.tag === SYNC_TAG) event.waitUntil(handIn());
});

async function handIn() {
  const pages = await clients.matchAll({ type: "window" });
  if (pages.length) await new Promise((resolve) => setTimeout(resolve, HEAD_START));
  const { left, signedOut } = await drain();
  if (left && !signedOut) throw new Error("the browser tries again later");
}

addEventListener("fetch", (event) => {
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

const file = async (request) => (await caches.match(request)) ?? fetch(request);

/** The page at once as it was last time, and anew for the next time; a new language at once. */
async function shell(event) {
  const cache = await caches.open(CACHE);
  const kept = await cache.match(SHELL);
  const fresh = renewShell(event.request);
  event.waitUntil(fresh.catch(() => {}));
  if (!kept) return fresh;
  if (!new URL(event.request.url).search) return kept;
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, kept));
  return Promise.race([fresh.catch(() => kept), late]);
}

/** Another kiosk, or none, from now on: the page, list and habits kept here are of the one before. */
async function changeOfOwner(request) {
  const answer = await fetch(request);
  if (answer.redirected || answer.type === "opaqueredirect") {
    owner += 1;
    await Promise.all([caches.open(CACHE).then((cache) => cache.delete(SHELL)), forget()]);
  }
  return answer;
}

async function renewShell(request) {
  const asked = owner;
  const answer = await fetch(request);
  const cache = await caches.open(CACHE);
  if (asked !== owner) return answer; // made for the one before
  if (answer.ok && answer.type === "basic" && !answer.redirected) {
    await cache.put(SHELL, answer.clone());
  } else if (answer.redirected || answer.type === "opaqueredirect") {
    await cache.delete(SHELL); // signed out
  }
  return answer;
}

async function page(request) {
  try {
    return await fetch(request);
  } catch {
    return (await (await caches.open(CACHE)).match(SHELL)) ?? Response.error();
  }
}
