// Counts an officer's words as the sender counts them and shows the farmer's message as it will
// arrive. Without this file the page works too: the server counts, and shows on request.

const notes = /** @type {any} */ (document.querySelector(".notes"));
const own = /** @type {any} */ (document.getElementById("own"));
const count = /** @type {any} */ (document.getElementById("count"));
const preview = /** @type {any} */ (document.getElementById("preview"));
const room = Number(notes.dataset.room);
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

function verdict(/** @type {string} */ text) {
  const { outside, used } = judge(text);
  if (outside) return [count.dataset.outside.replace("{letters}", outside), true];
  if (used > room) return [count.dataset.over.replace("{n}", used - room), true];
  return [text ? count.dataset.left.replace("{n}", room - used) : atMost, false];
}

function show() {
  const chosen = notes.querySelector(":checked");
  const writing = chosen?.value === "own";
  const words = writing ? fold(own.value) : (chosen?.dataset.words ?? "");
  const [said, wrong] = verdict(fold(own.value));
  count.textContent = said;
  count.classList.toggle("bad", wrong);
  own.setAttribute("aria-invalid", String(wrong));
  preview.textContent = words ? notes.dataset.frame.replace("{note}", () => words) : "";
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
