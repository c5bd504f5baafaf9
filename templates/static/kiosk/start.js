// Says so when the page's modules do not start: a browser that is too old, or a file that did not
// come. For any browser that runs scripts at all, so nothing newer than 2009 is used here.

var notice = /** @type {HTMLElement} */ (document.getElementById("not-started"));

window.addEventListener("load", function () {
  if (document.documentElement.hasAttribute("data-started")) return;
  notice.hidden = false;
});
