// A photo made small enough for a slow network, and a first look at what is wrong with it.

const LONG_SIDE = 1024;
const ROOM = 150_000; // bytes
const QUALITIES = [0.86, 0.76, 0.66, 0.56, 0.46, 0.36];
const SQUARE = 224; // the model's own square

// The same measures and bounds as inference/quality.py, so that both say the same of a photo.
const MIN_SHARPNESS = 2.3;
const MIN_BRIGHTNESS = 36;
const MAX_BURNT = 0.35;
const BURNT = 250;

/** Not a picture that this phone can read. */
export class BadPicture extends Error {}

/**
 * Drawing anew also drops what the camera wrote beside the picture, such as the place.
 *
 * @param {Blob} file as it comes from the camera or the gallery
 * @returns {Promise<{bytes: ArrayBuffer, flaws: string[], preview: string}>} a JPEG of at most
 *   150 kB; `flaws` may hold blurred, dark, overexposed; `preview` is a data URL.
 */
export async function prepare(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw new BadPicture();
  }
  try {
    const jpeg = await shrink(picture);
    return {
      bytes: await jpeg.arrayBuffer(),
      flaws: flaws(pixels(picture)),
      preview: drawn(picture, 320).toDataURL("image/jpeg", 0.7),
    };
  } finally {
    picture.close();
  }
}

async function shrink(picture) {
  for (let side = LONG_SIDE; ; side *= 0.75) {
    const canvas = drawn(picture, side);
    for (const quality of QUALITIES) {
      const jpeg = await new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
      if (!jpeg) throw new BadPicture();
      if (jpeg.size <= ROOM) return jpeg;
    }
  }
}

function drawn(picture, side) {
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The central square, SQUARE pixels wide: RGBA bytes. */
function pixels(picture) {
  const side = Math.min(picture.width, picture.height);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SQUARE;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  const left = (picture.width - side) / 2;
  const top = (picture.height - side) / 2;
  pen.drawImage(picture, left, top, side, side, 0, 0, SQUARE, SQUARE);
  return pen.getImageData(0, 0, SQUARE, SQUARE).data;
}

function flaws(rgba) {
  const { sharpness, brightness, burnt } = measure(rgba);
  const found = [];
  if (sharpness < MIN_SHARPNESS) found.push("blurred");
  if (brightness < MIN_BRIGHTNESS) found.push("dark");
  if (burnt > MAX_BURNT) found.push("overexposed");
  return found;
}

/** sharpness: mean absolute Laplacian of green relative to its spread, percent; brightness: mean green. */
export function measure(rgba) {
  const green = (x, y) => rgba[4 * (y * SQUARE + x) + 1];
  let sum = 0, squares = 0, white = 0, edges = 0;
  for (let y = 0; y < SQUARE; y++) {
    for (let x = 0; x < SQUARE; x++) {
      const value = green(x, y);
      sum += value;
      squares += value * value;
      if (value >= BURNT) white++;
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
