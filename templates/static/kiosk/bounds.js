// Bounds that the server holds too; it hands them over with the page (gateway/pages/kiosk/bounds.py).

/**
 * @typedef {object} Bounds
 * @property {number} photos of a case
 * @property {number} listed cases of a day, at most
 * @property {{long_side: number, short_side: number, room: number, upload: number,
 *   heif_brands: string[]}} picture `room` and `upload` in bytes: made small, and as it is
 * @property {{square: number, sharpness: number, brightness: number, burnt_share: number,
 *   burnt: number}} quality
 * @property {Record<"thinking" | "with_officer" | "over", string[]>} states of a case
 * @property {{country: string, prefix: string, lengths: number[], e164: string}} phone
 */

/** @type {Bounds} */
export const bounds = JSON.parse(document.getElementById("bounds")?.textContent ?? "");
