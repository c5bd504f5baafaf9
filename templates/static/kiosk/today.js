// The day's cases: asked for while something is open, less and less often, and kept for offline.

import * as queue from "./queue.js";

const FIRST = 2_000; // milliseconds until the next question
const SLOWER = 1.5;
const LONGEST = 30_000; // milliseconds for an answer
const SLOWEST = { machine: 30_000, officer: 60_000 };
const THINKING = new Set(["received", "diagnosed"]);
const WITH_OFFICER = new Set(["escalated", "accepted"]);

let timer = null;
let pause = FIRST;
let asking = false;

/** The list as it was last seen, an empty one at first. */
export const cases = async () => (await queue.kept("cases")) ?? [];

/**
 * Ask now, and again later as long as a case is open and the page is looked at.
 *
 * @param {(outcome: "list" | "unchanged" | "offline" | "signed-out") => void} done
 */
export async function ask(done, { soon = false } = {}) {
  if (soon) pause = FIRST;
  if (asking) return;
  asking = true;
  clearTimeout(timer);
  let outcome;
  try {
    const watched = await queue.watched();
    outcome = await fetched();
    if (outcome === "list") await dropOld(watched);
  } finally {
    asking = false;
  }
  done(outcome);
  if (outcome === "signed-out") return;
  const open = (await cases()).map((one) => one.state);
  const kind = open.some((state) => THINKING.has(state))
    ? "machine"
    : open.some((state) => WITH_OFFICER.has(state)) && "officer";
  if (!kind || document.hidden) return;
  timer = setTimeout(() => ask(done), kind === "officer" ? SLOWEST.officer : pause);
  pause = outcome === "list" ? FIRST : Math.min(pause * SLOWER, SLOWEST.machine);
}

/** A watched case that the list no longer has is over; those accepted meanwhile are left alone. */
async function dropOld(watched) {
  const listed = new Set((await cases()).map((one) => one.case));
  const gone = watched.filter((code) => !listed.has(code));
  if (gone.length) await queue.unwatch(gone);
}

async function fetched() {
  try {
    const headers = { Accept: "application/json" };
    const tag = await queue.kept("cases-tag");
    if (tag) headers["If-None-Match"] = tag;
    const signal = AbortSignal.timeout?.(LONGEST); // phones before 2022 have none
    const answer = await fetch("/api/cases", { headers, cache: "no-store", signal });
    if (answer.status === 304) return "unchanged";
    if (answer.status === 401 || answer.status === 403) return "signed-out";
    if (!answer.ok) return "offline";
    const { cases: list } = await answer.json();
    if (!Array.isArray(list)) return "offline"; // not our server: a Wi-Fi's sign-in page
    await queue.keep("cases", list);
    await queue.keep("cases-tag", answer.headers.get("ETag"));
    return "list";
  } catch {
    return "offline";
  }
}
