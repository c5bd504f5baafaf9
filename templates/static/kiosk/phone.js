// Phone numbers as they are typed or pasted: a first look, the server has the last word.

import { bounds } from "./bounds.js";

const { country, prefix, lengths, e164 } = bounds.phone;
const BETWEEN = /[\s\p{Z}\p{Pd}().·/~\u2212\u30fc\u02d7]/gu;
const UNSEEN = /[\p{Cf}\p{Cc}\p{Cs}\p{Co}\p{Default_Ignorable_Code_Point}]/gu;
const E164 = new RegExp(`^${e164}$`);

/**
 * The digits, with a plus in front where there was one: without letters that nobody sees, as they
 * come along from a contact card or a chat, and in the digits of ASCII.
 *
 * @param {string} typed
 */
export function bare(typed) {
  const text = typed.normalize("NFKC").replace(/\t|\n|\r/g, " ").replace(UNSEEN, "").replace(BETWEEN, "");
  return text.replace(/\p{Nd}/gu, digit);
}

/** Unicode keeps the ten digits of a script side by side, zero first. @param {string} letter */
function digit(letter) {
  const code = /** @type {number} */ (letter.codePointAt(0));
  let value = 0;
  while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value++;
  return String(value);
}

/** Whether it has as many digits as a mobile number has. @param {string} typed */
export function possible(typed) {
  const number = bare(typed).replace(/^00/, "+");
  const own = number.startsWith(`+${country}`);
  if (number.startsWith("+") && !(country && own)) return E164.test(number);
  if (!/^\+?\d+$/.test(number)) return false;
  if (!lengths.length) return E164.test(`+${number.replace(/^\+?0*/, "")}`);
  const rest = own ? number.slice(country.length + 1) : number;
  return fits(rest) || (!own && rest.startsWith(country) && fits(rest.slice(country.length)));
}

/** @param {string} rest behind the country's code */
const fits = (rest) =>
  lengths.includes(rest.length) ||
  (prefix !== "" && rest.startsWith(prefix) && lengths.includes(rest.length - prefix.length));

/** In threes, as it is read aloud. @param {string} typed */
export function grouped(typed) {
  const digits = bare(typed);
  return /^\+?\d+$/.test(digits) ? digits.replace(/(\d{3,4})(?=(\d{3})+$)/g, "$1 ") : typed.trim();
}
