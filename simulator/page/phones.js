"use strict";

// A handset is what the network knows of it (number, screen, messages) and what its own
// little computer keeps: which view is open, what has been typed, which messages were read.

const API = "/simulator/api";
const POLL_MS = 1000;
/** @type {Map<string, Handset>} */
const handsets = new Map();
let code = "";
/** @type {Record<string, string>} */
let operators = {};

/**
 * @typedef {{id: number, direction: "in" | "out", text: string, other: string, at: string}} Message
 * @typedef {object} Phone as the simulator shows it
 * @property {string} number
 * @property {string} name
 * @property {string} operator
 * @property {boolean} open whether a USSD session is
 * @property {string} screen
 * @property {Message[]} messages the oldest first
 * @typedef {{send: {name: string, times: number | null}[], reports: string}} Faults
 */

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

/** @param {string} method @param {string} path @param {object} [body] */
async function call(method, path, body) {
  const answer = await fetch(API + path, {
    method,
    headers: body ? { "Content-Type": "application/json" } : {},
    body: body && JSON.stringify(body),
  });
  const data = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(data.error || `HTTP ${answer.status}`);
  return data;
}

class Handset {
  /** @param {Phone} data */
  constructor(data) {
    /** @type {Phone} */
    this.data = /** @type {any} */ (undefined); // until it is taken below
    this.view = "idle"; // idle, ussd, list, read, write
    this.typed = "";
    this.chosen = 0;
    /** @type {Message | undefined} */
    this.reading = undefined;
    this.busy = "";
    /** @type {Promise<unknown>} */
    this.registered = Promise.resolve(); // with the operator that was chosen
    this.root = $("phone").content.firstElementChild.cloneNode(true);
    this.root.querySelector(".keys").addEventListener("click", (/** @type {any} */ event) => {
      const key = event.target.closest("button")?.dataset.key;
      if (key) this.press(key);
    });
    this.root.addEventListener("keydown", (/** @type {any} */ event) => this.typedOnKeyboard(event));
    const words = this.root.querySelector(".words");
    words.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      const input = words.querySelector("input");
      if (this.view === "idle" || this.view === "list" || this.view === "read") this.open("write");
      this.typed += input.value;
      input.value = "";
      this.draw();
    });
    this.root.querySelector(".view").addEventListener("click", (/** @type {any} */ event) => {
      const line = event.target.closest(".line");
      if (line) this.read(Number(line.dataset.index));
    });
    const operator = this.root.querySelector(".operator");
    for (const [key, name] of Object.entries(operators)) operator.append(new Option(name, key));
    operator.addEventListener("change", () => {
      // A call made at once waits for it: the network must know whose phone it is.
      this.registered = call("POST", "/phones", { number: this.data.number, operator: operator.value })
        .catch(() => { operator.value = this.data.operator; });
    });
    this.root.querySelector(".as-test").addEventListener("click", () => this.showTest());
    this.readUpTo = Math.max(0, ...data.messages.map((m) => m.id));
    this.take(data);
  }

  get inbox() { return this.data.messages.slice().reverse(); }
  get unread() { return this.data.messages.filter((m) => m.direction === "in" && m.id > this.readUpTo).length; }

  /** @param {Phone} data */
  take(data) {
    const before = JSON.stringify(this.data);
    this.data = data;
    // Somebody else may dial on this phone: a test, or the demonstration.
    if (data.open && this.view === "idle" && !this.typed) this.view = "ussd";
    if (JSON.stringify(data) === before) return;
    this.root.querySelector(".operator").value = data.operator;
    this.draw();
  }

  async showTest() {
    const { source } = await call("GET", `/phones/${encodeURIComponent(this.data.number)}/test`);
    const dialog = $("test");
    dialog.querySelector("textarea").value = source;
    $("copied").textContent = "";
    dialog.showModal();
  }

  /** @param {number} index */
  read(index) {
    this.chosen = index;
    this.reading = this.inbox[index];
    if (this.reading) this.open("read");
  }

  /** @param {string} view */
  open(view) { this.view = view; this.typed = ""; this.draw(); }

  /** @param {any} event */
  typedOnKeyboard(event) {
    if (event.target.closest("input, button") || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, string>} */
    const keys = { Enter: "call", Escape: "end", Backspace: "clear", ArrowUp: "up", ArrowDown: "down" };
    const key = keys[event.key] || (event.key.length === 1 ? event.key : "");
    if (!key) return;
    event.preventDefault();
    this.press(key);
  }

  /** @param {string} key */
  press(key) {
    if (this.busy) return;
    if (key === "call") return this.send();
    if (key === "end") return this.hangUp();
    if (key === "clear") { this.typed = this.typed.slice(0, -1); return this.draw(); }
    if (key === "left" || key === "right") return this.soft(key);
    if (key === "up" || key === "down") return this.move(key === "up" ? -1 : 1);
    if (this.view === "list" || this.view === "read") this.open("idle");
    if (this.view === "ussd" && !this.data.open) return;
    this.typed += key;
    this.draw();
  }

  labels() {
    switch (this.view) {
      case "ussd": return this.data.open ? ["Send", "Cancel"] : ["", "OK"];
      case "list": return this.inbox.length ? ["Read", "Back"] : ["", "Back"];
      case "read": return ["Reply", "Back"];
      case "write": return ["Send", this.typed ? "Clear" : "Back"];
      default: return this.typed ? ["Call", "Clear"] : ["Messages", "Write"];
    }
  }

  /** @param {string} key */
  soft(key) {
    const label = this.labels()[key === "left" ? 0 : 1];
    /** @type {Record<string, () => unknown>} */
    const actions = {
      Send: () => this.send(), Call: () => this.send(), Cancel: () => this.hangUp(), OK: () => this.hangUp(),
      Clear: () => { this.typed = this.typed.slice(0, -1); this.draw(); },
      Messages: () => { this.chosen = 0; this.open("list"); },
      Write: () => this.open("write"), Reply: () => this.open("write"),
      Read: () => this.read(this.chosen),
      Back: () => this.open(this.view === "read" ? "list" : "idle"),
    };
    if (label) actions[label]();
  }

  /** @param {number} step */
  move(step) {
    if (this.view === "list") {
      this.chosen = Math.min(Math.max(this.chosen + step, 0), Math.max(this.inbox.length - 1, 0));
      return this.draw();
    }
    this.root.querySelector(".view").scrollBy({ top: step * 60 });
  }

  async send() {
    const path = `/phones/${encodeURIComponent(this.data.number)}`;
    const typed = this.typed;
    if (this.view === "list") return this.read(this.chosen);
    if (this.view === "ussd" && this.data.open) {
      return this.work("Please wait...", () => call("POST", `${path}/answer`, { text: typed }));
    }
    if (this.view === "write") {
      if (!typed) return undefined;
      await this.work("Sending...", () => call("POST", `${path}/sms`, { text: typed }), "list");
      return this.refresh();
    }
    if (!typed) { this.typed = code; return this.draw(); }
    return this.work("Calling...", () => call("POST", `${path}/dial`, { code: typed }));
  }

  hangUp() {
    if (this.view !== "ussd") return this.open("idle");
    return this.work("", () => call("POST", `/phones/${encodeURIComponent(this.data.number)}/drop`, {}), "idle");
  }

  /** @param {string} label @param {() => Promise<any>} job */
  async work(label, job, view = "ussd") {
    this.busy = label || " ";
    this.typed = "";
    this.draw();
    try {
      await this.registered;
      const data = await job();
      if (data.number) this.data = data;
      this.view = view;
    } catch (error) {
      this.data.screen = /** @type {Error} */ (error).message;
      this.data.open = false;
      this.view = "ussd";
    }
    this.busy = "";
    this.draw();
  }

  async refresh() { this.take(await call("GET", `/phones/${encodeURIComponent(this.data.number)}`)); }

  draw() {
    const part = (/** @type {string} */ name) => this.root.querySelector(name);
    part(".name").textContent = this.data.name;
    part(".number").textContent = this.data.number;
    const content = this.busy ? [element("div", "wait", this.busy)] : this.content();
    part(".clock").textContent = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const unread = this.unread;
    part(".new").hidden = !unread;
    part(".new").textContent = `\u2709 ${unread}`;
    part(".view").replaceChildren(...content);
    const entry = part(".entry");
    entry.hidden = Boolean(this.busy) || !(this.view === "write" || (this.view === "ussd" && this.data.open) || (this.view === "idle" && this.typed));
    entry.textContent = this.typed;
    const [left, right] = this.labels();
    part(".soft .left").textContent = this.busy ? "" : left;
    part(".soft .right").textContent = this.busy ? "" : right;
  }

  content() {
    switch (this.view) {
      case "ussd": return [document.createTextNode(this.data.screen)];
      case "list": return this.inbox.length ? this.inbox.map((m, i) => this.line(m, i)) : [element("div", "wait", "No messages")];
      case "read": return this.message();
      case "write": return [element("div", "head", `New message (${this.typed.length}/160)`)];
      default: {
        const idle = element("div", "idle", "");
        idle.append(element("b", "", "Leafline"), this.unread ? `${this.unread} new message${this.unread > 1 ? "s" : ""}` : `Dial ${code}`);
        return [idle];
      }
    }
  }

  /** @param {Message} message @param {number} index */
  line(message, index) {
    const line = element("div", "line", `${message.direction === "out" ? "> " : ""}${message.text}`);
    line.classList.toggle("chosen", index === this.chosen);
    line.classList.toggle("unread", message.direction === "in" && message.id > this.readUpTo);
    line.dataset.index = String(index);
    return line;
  }

  message() {
    const message = /** @type {Message} */ (this.reading);
    this.readUpTo = Math.max(this.readUpTo, message.id);
    const at = new Date(message.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const head = `${message.direction === "in" ? "From" : "To"} ${message.other}  ${at}`;
    return [element("div", "head", head), document.createTextNode(message.text)];
  }
}

/** @param {string} tag @param {string} name @param {string} text */
function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  made.textContent = text;
  return made;
}

async function poll() {
  try {
    const state = await call("GET", "/phones");
    code = state.code;
    operators = state.operators;
    const numbers = new Set(state.phones.map((/** @type {Phone} */ phone) => phone.number));
    for (const [number, handset] of handsets) {
      if (!numbers.has(number)) { handset.root.remove(); handsets.delete(number); }
    }
    for (const data of state.phones) {
      const known = handsets.get(data.number);
      if (known) { if (!known.busy) known.take(data); continue; }
      const handset = new Handset(data);
      handsets.set(data.number, handset);
      $("phones").append(handset.root);
    }
    showTrouble(state.faults);
  } catch {
    $("trouble-now").textContent = "- the simulator does not answer";
  }
  setTimeout(poll, POLL_MS);
}

/** @param {Faults} faults */
function showTrouble(faults) {
  const now = faults.send.filter((fault) => fault.times !== 0).map((fault) => fault.name);
  if (faults.reports !== "success") now.push(`reports: ${faults.reports}`);
  $("trouble-now").textContent = now.length ? `- ${now.join(", ")}` : "";
}

/** @param {HTMLSelectElement} select @param {string[]} names */
function fill(select, names) {
  for (const name of names) select.append(new Option(name.replaceAll("_", " "), name));
}

async function copyTest() {
  const source = $("test").querySelector("textarea");
  source.select();
  let copied = true;
  // Off this machine and without HTTPS a browser has no clipboard for a page.
  try { await navigator.clipboard.writeText(source.value); } catch { copied = document.execCommand("copy"); }
  $("copied").textContent = copied ? "Copied." : "Selected: copy it with the keyboard.";
}

function listen() {
  const add = $("add");
  const problem = $("add-problem");
  add.addEventListener("submit", async (/** @type {Event} */ event) => {
    event.preventDefault();
    try {
      await call("POST", "/phones", { number: add.number.value, name: "" });
      add.reset();
      problem.textContent = "";
    } catch (error) { problem.textContent = /** @type {Error} */ (error).message; }
  });
  const faults = $("faults");
  faults.addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    const name = faults.send.value;
    const times = faults.times.value ? Number(faults.times.value) : null;
    call("PUT", "/faults", {
      send: name ? [{ name, times }] : [],
      reports: faults.reports.value,
      report_delay: Number(faults.report_delay.value),
    });
  });
  $("copy").addEventListener("click", copyTest);
  $("all-works").addEventListener("click", () => { faults.reset(); call("PUT", "/faults", {}); });
  $("empty-all").addEventListener("click", () => { faults.reset(); call("POST", "/reset", {}); });
  call("GET", "/faults").then((known) => { fill(faults.send, known.send); fill(faults.reports, known.reports); });
}

listen();
poll();
