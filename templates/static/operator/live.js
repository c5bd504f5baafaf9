// Keeps a part of the page as it stands on the server: `data-live` says after how many seconds it
// is looked at again. Nothing is asked while nobody looks at the page.

const part = /** @type {any} */ (document.getElementById("live"));

async function again() {
  if (document.visibilityState === "visible") {
    const answer = await fetch(location.pathname + location.search).catch(() => null);
    if (answer?.ok && !answer.redirected) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("live");
      if (!fresh) return;
      if (fresh.innerHTML !== part.innerHTML) part.innerHTML = fresh.innerHTML;
      if (!fresh.dataset.live) return;
    }
  }
  setTimeout(again, Number(part.dataset.live) * 1000);
}

setTimeout(again, Number(part.dataset.live) * 1000);
