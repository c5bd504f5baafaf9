// Says so when the page's modules do not start: a browser that is too old, or a file that did not
// come. For any browser that runs scripts at all, so nothing newer than 2009 is used here.

window.addEventListener("load", function () {
  if (!document.documentElement.hasAttribute("data-started")) {
    document.getElementById("not-started").hidden = false;
    document.getElementById("not-started").style.display = "block";
  }
});
