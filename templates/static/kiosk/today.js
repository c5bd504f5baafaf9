// The day's cases: asked for while something is open, less and less often, and kept for offline.

import { bounds } from "./bounds.js";
import * as queue from "./queue.js";

const FIRST = 2_000; // milliseconds until the next question
const SLOWER = 1.5;
const LONGEST = 30_000; // milliseconds for an answer
const SLOWEST = { machine: 30_000, officer: 60_000 };
const MOST_NAMED = 20; // questions in one go; each is a request
const { thinking, with_officer, over } = bounds.states;

let timer = 0;
let pause = FIRST;
let asking = false;

/**
 * The list as it was last seen, an empty one at first, and the watched cases that it has no room for.
 *
 * @returns {Promise<Case[]>}
 * @typedef {Record<string, any>} Case as the server shows it
 */
export const cases = async () => [...(await listed()), ...(await named())];

/** @returns {Promise<Case[]>} */
export const listed = async () => (await queue.kept("cases")) ?? [];
/** @returns {Promise<Case[]>} */
const named = async () => (await queue.kept("named")) ?? [];

/**
 * Ask now, and again later as long as a case is open and the page is looked at.
 *
 * @typedef {"list" | "unchanged" | "offline" | "signed-out"} Outcome
 * @param {(outcome: Outcome) => void} done
 */
export async function ask(done, { soon = false } = {}) {
  if (soon) pause = FIRST;
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  /** @type {Outcome} */
  let outcome;
  try {
    const watched = await queue.watched();
    outcome = await fetched();
    if (outcome === "list" || outcome === "unchanged") await askByName(watched);
  } finally {
    asking = false;
  }
  done(outcome);
  if (outcome === "signed-out") return;
  const open = (await cases()).map((one) => one.state);
  const kind = open.some((state) => thinking.includes(state))
    ? "machine"
    : open.some((state) => with_officer.includes(state)) && "officer";
  if (!kind || document.hidden) return;
  clearTimeout(timer);
  timer = setTimeout(() => ask(done), kind === "officer" ? SLOWEST.officer : pause);
  pause = outcome === "list" ? FIRST : Math.min(pause * SLOWER, SLOWEST.machine);
}

/**
 * A watched case that the list no longer has is asked for by its name: the list has room for so many,
 * and is of a day. It stays while it is open, and answered as long as the full list pushed it out.
 *
 * @param {string[]} watched before the list was asked for; those accepted meanwhile are left alone
 */
async function askByName(watched) {
  const list = await listed();
  const here = new Set(list.map((one) => one.case));
  const missing = watched.filter((code) => !here.has(code));
  const before = await named();
  const gone = [], found = [];
  for (const [index, code] of missing.entries()) {
    const known = before.find((one) => one.case === code);
    const one = index < MOST_NAMED ? await byName(code) : undefined;
    const shown = one === undefined ? known : one;
    if (one === null || (shown && over.includes(shown.state) && list.length < bounds.listed)) gone.push(code);
    else if (shown) found.push(shown);
  }
  if (gone.length) await queue.unwatch(gone);
  if (found.length || before.length) await queue.keep("named", found);
}

/** @param {string} code @returns {Promise<Case | null | undefined>} null: there is none; undefined: no word */
async function byName(code) {
  try {
    const signal = AbortSignal.timeout?.(LONGEST);
    const headers = { Accept: "application/json" };
    const answer = await fetch(`/api/cases/${code}`, { headers, cache: "no-store", signal });
    const body = await answer.json();
    if (answer.ok && body.case === code) return body;
    return answer.status === 404 && body.code === "case_not_found" ? null : undefined;
  } catch {
    return undefined;
  }
}

/** @returns {Promise<Outcome>} */
async function fetched() {
  try {
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    const tag = await queue.kept("cases-tag");
    if (tag) headers["If-None-Match"] = tag;
    const signal = AbortSignal.timeout?.(LONGEST); // phones before 2022 have none
    const answer = await fetch("/api/cases", { headers, cache: "no-store", signal });
    if (answer.status === 304) return "unchanged";
    const { cases: list, code } = await answer.json();
    if (code && [401, 403].includes(answer.status)) return "signed-out";
    if (!answer.ok || !Array.isArray(list)) return "offline"; // or not our server at all
    await queue.keep("cases", list);
    await queue.keep("cases-tag", answer.headers.get("ETag"));
    return "list";
  } catch {
    return "offline";
  }
}
