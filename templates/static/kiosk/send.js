// One upload over the network: by XMLHttpRequest where progress is to be seen, else by fetch.

const STALLED = 60_000; // milliseconds without a byte moving
const LONGEST = 180_000; // milliseconds for all, where no byte can be seen moving: 150 kB by 2G

/** Nobody knows whether the upload arrived: it must be sent again. */
export class NoAnswer extends Error {}

function form(fields, photo) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) data.append(name, value);
  data.append("photo", new Blob([photo], { type: "image/jpeg" }), "leaf.jpg");
  return data;
}

const HEADERS = { "X-Kiosk-Page": "1", Accept: "application/json" };

/**
 * @param {object} fields of the form; empty ones are left out
 * @param {ArrayBuffer} photo a JPEG
 * @param {(share: number) => void} [progress] told how much has gone, 0 to 1
 * @returns {Promise<{status: number, body: object, after: number}>} `after`: seconds to wait
 * @throws {NoAnswer}
 */
export function send(fields, photo, progress) {
  const body = form(fields, photo);
  return typeof XMLHttpRequest === "undefined" ? byFetch(body) : byRequest(body, progress);
}

function byRequest(data, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    let watch;
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
        resolve(understood(request.status, JSON.parse(request.responseText), after));
      } catch {
        lost();
      }
    };
    request.open("POST", "/api/photos");
    for (const [name, value] of Object.entries(HEADERS)) request.setRequestHeader(name, value);
    moved();
    request.send(data);
  });
}

async function byFetch(body) {
  try {
    const signal = AbortSignal.timeout?.(LONGEST); // phones before 2022 have none
    const answer = await fetch("/api/photos", { method: "POST", headers: HEADERS, body, signal });
    const after = Number(answer.headers.get("Retry-After")) || 0;
    return understood(answer.status, await answer.json(), after);
  } catch {
    throw new NoAnswer();
  }
}

/** A sign-in page of somebody's Wi-Fi may answer 200 to anything: only our own words count. */
function understood(status, body, after) {
  if (status === 202 ? typeof body.case !== "string" : typeof body.code !== "string") {
    throw new NoAnswer();
  }
  return { status, body, after };
}
