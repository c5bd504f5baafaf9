// Counts an officer's words as the sender counts them and shows the farmer's message as it will
// arrive. Without this file the page works too: the server counts, and shows on request.

const notes = /** @type {any} */ (document.querySelector(".notes"));
const own = /** @type {any} */ (document.getElementById("own"));
const count = /** @type {any} */ (document.getElementById("count"));
const preview = /** @type {any} */ (document.getElementById("preview"));
const room = Number(notes.dataset.room);
const partRoom = Number(notes.dataset.partRoom);
const most = Number(notes.dataset.most);
const atMost = count.textContent;

const response = await fetch(notes.dataset.tables);
/** @type {{fold: Record<string, string>, basic: string, extension: string} | null} */
const tables = response.ok ? await response.json() : null;

const fold = (/** @type {string} */ text) =>
  [...text.normalize("NFC").trim().replace(/\s+/g, " ")].map((c) => tables?.fold[c] ?? c).join("");

const width = (/** @type {string} */ letter) =>
  tables?.extension.includes(letter) ? 2 : tables?.basic.includes(letter) ? 1 : NaN;

function judge(/** @type {string} */ text) {
  const letters = [...text];
  const outside = [...new Set(letters.filter((c) => Number.isNaN(width(c))))].join(" ");
  return { outside, used: letters.reduce((sum, c) => sum + (width(c) || 0), 0) };
}

const septets = (/** @type {string} */ text) => judge(text).used;

/** The longest beginning that fits, on a word border; a longer first word is cut inside. */
function head(/** @type {string} */ text, /** @type {number} */ limit) {
  if (septets(text) <= limit) return text;
  const letters = [...text];
  let end = 0;
  for (let used = 0; used + width(letters[end]) <= limit; end += 1) used += width(letters[end]);
  const first = letters.slice(0, end).join("");
  const border = letters[end] === " " ? first.length : first.lastIndexOf(" ");
  return (border > 0 ? first.slice(0, border) : first).trimEnd();
}

/**
 * The words as they go out, and what no message has room for.
 * @returns {[string[], string]}
 */
function split(/** @type {string} */ words) {
  if (septets(words) <= room) return [[words], ""];
  const parts = [];
  let rest = words;
  while (rest && parts.length < most) {
    const part = head(rest, partRoom);
    parts.push(part);
    rest = rest.slice(part.length).trimStart();
  }
  return [parts, rest];
}

function verdict(/** @type {string} */ text) {
  const { outside, used } = judge(text);
  if (outside) return [count.dataset.outside.replace("{letters}", outside), true];
  const over = septets(split(text)[1]);
  if (over) return [count.dataset.over.replace("{n}", over), true];
  return [text ? count.dataset.left.replace("{n}", partRoom * most - used) : atMost, false];
}

function messages(/** @type {string} */ words) {
  if (septets(words) <= room) return [notes.dataset.whole.replace("{note}", () => words)];
  const [parts] = split(words);
  return parts.map((part, i) => {
    const number = parts.length > 1 ? `${i + 1}/${parts.length} ` : "";
    return notes.dataset.part.replace("{part}", number).replace("{note}", () => part);
  });
}

function show() {
  const chosen = notes.querySelector(":checked");
  const writing = chosen?.value === "own";
  const words = writing ? fold(own.value) : (chosen?.dataset.words ?? "");
  const [said, wrong] = verdict(fold(own.value));
  count.textContent = said;
  count.classList.toggle("bad", wrong);
  own.setAttribute("aria-invalid", String(wrong));
  preview.textContent = words && !judge(words).outside ? messages(words).join("\n\n") : "";
}

// What it is, chosen: the advice that belongs to it is chosen too, and can be changed.
for (const label of document.querySelectorAll(".diagnosis input")) {
  label.addEventListener("change", () => {
    const belongs = notes.querySelector(`[value="note_${/** @type {any} */ (label).value}"]`);
    if (belongs) belongs.checked = true;
    else if (!own.value) for (const one of notes.querySelectorAll(":checked")) one.checked = false;
    if (tables) show();
  });
}

if (tables) {
  own.addEventListener("input", () => {
    notes.querySelector("[value=own]").checked = true;
    show();
  });
  notes.addEventListener("change", show);
  show();
}

// A second tap while the first is on its way only makes an agent wonder.
for (const form of document.forms) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 10_000);
  });
}
