// A photo made small enough for a slow network, and a first look at what is wrong with it.

import { bounds } from "./bounds.js";

const QUALITIES = [0.86, 0.76, 0.66, 0.56, 0.46, 0.36];
const SQUARE = bounds.quality.square; // the model's own square

/** Not a picture that this phone or the server can read. */
export class BadPicture extends Error {}

/**
 * @typedef {object} Prepared
 * @property {ArrayBuffer} bytes
 * @property {string[]} flaws may hold blurred, dark, overexposed
 * @property {string} preview a data URL; empty where this phone cannot show the photo
 */

/**
 * Drawing anew also drops what the camera wrote beside the picture, such as the place.
 *
 * @param {Blob} file as it comes from the camera or the gallery
 * @returns {Promise<Prepared>} a JPEG made small, or the file as it is where the server can read it
 *   and this phone cannot
 * @throws {BadPicture}
 */
export async function prepare(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    return asItIs(file);
  }
  try {
    const jpeg = await shrink(picture);
    if (!jpeg) return asItIs(file, true);
    return {
      bytes: await jpeg.arrayBuffer(),
      flaws: flaws(pixels(picture)),
      preview: drawn(picture, 320).toDataURL("image/jpeg", 0.7),
    };
  } finally {
    picture.close();
  }
}

/**
 * Kinds that not every browser reads are sent for the server to read; of one that all read, only a
 * picture that this phone has read and had no memory to draw.
 *
 * @param {Blob} file
 * @returns {Promise<Prepared>}
 */
async function asItIs(file, read = false) {
  const kind = kindOf(new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  const taken = kind === "heif" || kind === "webp" || (read && kind !== null);
  if (!taken || file.size > bounds.picture.upload) throw new BadPicture();
  return { bytes: await file.arrayBuffer(), flaws: [], preview: "" };
}

/** What the first bytes claim, of the kinds that the server reads. @param {Uint8Array} head */
function kindOf(head) {
  const text = String.fromCharCode(...head);
  if (text.startsWith("\xff\xd8\xff")) return "jpeg";
  if (text.startsWith("\x89PNG\r\n\x1a\n")) return "png";
  if (text.startsWith("GIF87a") || text.startsWith("GIF89a")) return "gif";
  if (text.startsWith("RIFF") && text.endsWith("WEBP")) return "webp";
  const heif = text.slice(4, 8) === "ftyp" && bounds.picture.heif_brands.includes(text.slice(8));
  return heif ? "heif" : null;
}

/**
 * @param {ImageBitmap} picture
 * @returns {Promise<Blob | null>} null where the phone has no memory for it
 */
async function shrink(picture) {
  for (let side = bounds.picture.long_side; ; side *= 0.75) {
    const canvas = drawn(picture, side);
    for (const quality of QUALITIES) {
      /** @type {Blob | null} */
      const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (!jpeg || jpeg.size <= bounds.picture.room) return jpeg;
    }
  }
}

/** @param {ImageBitmap} picture @param {number} side the longer one, at most */
function drawn(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The central square, SQUARE pixels wide: RGBA bytes. @param {ImageBitmap} picture */
function pixels(picture) {
  const side = Math.min(picture.width, picture.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SQUARE;
  const options = { willReadFrequently: true };
  const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", options));
  pen.imageSmoothingQuality = "high";
  const left = (picture.width - side) / 2;
  const top = (picture.height - side) / 2;
  pen.drawImage(picture, left, top, side, side, 0, 0, SQUARE, SQUARE);
  return pen.getImageData(0, 0, SQUARE, SQUARE).data;
}

/** The same measures and bounds as inference/quality.py's. @param {ArrayLike<number>} rgba */
function flaws(rgba) {
  const { sharpness, brightness, burnt } = measure(rgba);
  const found = [];
  if (sharpness < bounds.quality.sharpness) found.push("blurred");
  if (brightness < bounds.quality.brightness) found.push("dark");
  if (burnt > bounds.quality.burnt_share) found.push("overexposed");
  return found;
}

/**
 * sharpness: mean absolute Laplacian of green relative to its spread, percent; brightness: mean green.
 *
 * @param {ArrayLike<number>} rgba
 */
export function measure(rgba) {
  const green = (/** @type {number} */ x, /** @type {number} */ y) => rgba[4 * (y * SQUARE + x) + 1];
  let sum = 0, squares = 0, white = 0, edges = 0;
  for (let y = 0; y < SQUARE; y++) {
    for (let x = 0; x < SQUARE; x++) {
      const value = green(x, y);
      sum += value;
      squares += value * value;
      if (value >= bounds.quality.burnt) white++;
      if (x && y && x < SQUARE - 1 && y < SQUARE - 1) {
        edges += Math.abs(
          4 * value - green(x - 1, y) - green(x + 1, y) - green(x, y - 1) - green(x, y + 1),
        );
      }
    }
  }
  const count = SQUARE * SQUARE;
  const brightness = sum / count;
  const spread = Math.sqrt(Math.max(0, squares / count - brightness * brightness)) + 4;
  const sharpness = (100 * edges) / (SQUARE - 2) ** 2 / spread / 4;
  return { sharpness, brightness, burnt: white / count };
}
