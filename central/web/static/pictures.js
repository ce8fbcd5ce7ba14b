// Pictures: the chart follows its table's filter, and hours are those of the reader.
"use strict";
(() => {
  const picture = document.getElementById("picture");
  const zone = document.querySelector("select[name=zone]");
  let asked = 0;

  async function redraw() {
    const number = ++asked, text = await shell.piece(location.pathname + location.search);
    if (text === null || number !== asked) return;
    const fresh = new DOMParser().parseFromString(text, "text/html").getElementById("picture");
    if (fresh && fresh.innerHTML !== picture.innerHTML) picture.replaceChildren(...fresh.childNodes);
  }

  if (picture) document.addEventListener("drawn", (event) => event.target.closest(".listing") && redraw());
  if (zone && !zone.value) {
    const here = String(-60 * Math.round(new Date().getTimezoneOffset() / 60));
    if (here !== "0" && [...zone.options].some((one) => one.value === here)) {
      zone.value = here;
      zone.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
})();
