// One upload over the network: by XMLHttpRequest where progress is to be seen, else by fetch.

const STALLED = 60_000; // milliseconds without a byte moving
const LONGEST = 180_000; // milliseconds for all, where no byte can be seen moving: 150 kB by 2G

const SMALL = 150_000; // bytes that LONGEST is for; of a larger one it is longer

/** Nobody knows whether the upload arrived: it must be sent again. */
export class NoAnswer extends Error {}

/** Somebody answered who is not the server: a proxy, or a Wi-Fi's sign-in page. */
export class Strange extends NoAnswer {
  /** @param {number} status */
  constructor(status) {
    super();
    this.refused = status >= 400;
  }
}

/** @param {Record<string, any>} fields @param {ArrayBuffer} photo */
function form(fields, photo) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) data.append(name, value);
  data.append("photo", new Blob([photo], { type: "image/jpeg" }), "leaf.jpg");
  return data;
}

const HEADERS = { "X-Kiosk-Page": "1", Accept: "application/json" };

/**
 * @param {Record<string, any>} fields of the form; empty ones are left out
 * @param {ArrayBuffer} photo
 * @param {(share: number) => void} [progress] told how much has gone, 0 to 1
 * @returns {Promise<Answer>}
 * @throws {NoAnswer}
 *
 * @typedef {{status: number, body: any, after: number}} Answer `after`: seconds to wait
 */
export function send(fields, photo, progress) {
  const body = form(fields, photo);
  const limit = LONGEST * Math.max(1, photo.byteLength / SMALL);
  return typeof XMLHttpRequest === "undefined" ? byFetch(body, limit) : byRequest(body, progress);
}

/**
 * @param {FormData} data
 * @param {((share: number) => void) | undefined} progress
 * @returns {Promise<Answer>}
 */
function byRequest(data, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let watch = 0;
    const moved = () => {
      clearTimeout(watch);
      watch = setTimeout(() => request.abort(), STALLED);
    };
    const lost = () => {
      clearTimeout(watch);
      reject(new NoAnswer());
    };
    request.upload.onprogress = (event) => {
      moved();
      if (event.lengthComputable) progress?.(event.loaded / event.total);
    };
    request.onerror = request.onabort = lost;
    request.onload = () => {
      clearTimeout(watch);
      const after = Number(request.getResponseHeader("Retry-After")) || 0;
      try {
        resolve(understood(request.status, request.responseText, after));
      } catch (error) {
        reject(error);
      }
    };
    request.open("POST", "/api/photos");
    for (const [name, value] of Object.entries(HEADERS)) request.setRequestHeader(name, value);
    moved();
    request.send(data);
  });
}

/** @param {FormData} body @param {number} limit in milliseconds @returns {Promise<Answer>} */
async function byFetch(body, limit) {
  let answer, text;
  try {
    const signal = AbortSignal.timeout?.(limit); // phones before 2022 have none
    answer = await fetch("/api/photos", { method: "POST", headers: HEADERS, body, signal });
    text = await answer.text();
  } catch {
    throw new NoAnswer();
  }
  return understood(answer.status, text, Number(answer.headers.get("Retry-After")) || 0);
}

/** Whether to try again later, whoever says so. @param {number} status */
export const busy = (status) => status >= 500 || status === 429 || status === 408;

/**
 * A sign-in page of somebody's Wi-Fi may answer 200 to anything: only our own words count, but for
 * a proxy's that the house is away.
 *
 * @param {number} status @param {string} text @param {number} after
 * @returns {Answer}
 */
function understood(status, text, after) {
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = null;
  }
  const ours = typeof (status === 202 ? body?.case : body?.code) === "string";
  if (!ours && !busy(status)) throw new Strange(status);
  return { status, body: ours ? body : {}, after };
}
