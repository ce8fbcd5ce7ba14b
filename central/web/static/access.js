// What is shown once: recovery codes, a new key; and the permissions that a key is given.
"use strict";
(() => {
  const place = document.getElementById("shown-once");
  document.addEventListener("sent", (event) => {
    const text = event.detail.codes ? event.detail.codes.join("\n") : event.detail.text;
    if (!place || !text) return;
    place.querySelector("pre").textContent = text;
    place.hidden = false;
    place.scrollIntoView({ block: "nearest" });
  });
  // Chosen boxes become the list permissions.0, permissions.1 ... of the form.
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-permission]")) return;
    const form = event.target.closest("form"), list = form.querySelector('[data-repeat="permissions"]');
    const chosen = [...form.querySelectorAll("[data-permission]:checked")];
    list.replaceChildren(...chosen.map((box, index) => Object.assign(document.createElement("input"),
      { type: "hidden", name: `permissions.${index}`, value: box.value })));
  });
})();
