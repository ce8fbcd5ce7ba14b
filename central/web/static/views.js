// Saved views of a table: the page's address under a name, shared by all staff, kept by the API.
"use strict";
(() => {
  const NAME_CHARACTERS_MAX = 64;
  const made = (tag, fields) => Object.assign(document.createElement(tag), fields);

  // What is asked for, without what belongs to one reader or one page of rows.
  function query() {
    const values = new URLSearchParams(location.search);
    for (const name of ["lang", "page", "cursor"]) values.delete(name);
    return values.toString();
  }

  async function asked(address, options) {
    const headers = { "Content-Type": "application/json", "Accept-Language": shell.language, ...shell.csrf };
    try {
      const answer = await fetch(address, { ...options, headers });
      const told = await answer.json();
      if (!answer.ok) shell.tell([told.detail, told.hint].filter(Boolean).join(" "), "bad");
      return answer.ok ? told : null;
    } catch {
      shell.tell(shell.words.failed, "bad");
      return null;
    }
  }

  function panel(place) {
    const address = "/api/v1/views/" + encodeURIComponent(place.dataset.views);
    const details = made("details", {}), summary = made("summary", { textContent: shell.words.views });
    const box = made("div", { className: "panel" }), list = made("ul", {});
    const label = made("label", {}), name = made("input", { type: "text", maxLength: NAME_CHARACTERS_MAX, autocomplete: "off" });
    const keep = made("button", { type: "button", textContent: shell.words.keep_view });
    label.append(made("span", { textContent: shell.words.view_name }), name);
    box.append(list, label, keep);
    details.append(summary, box);
    place.append(details);
    place.hidden = false;

    async function show() {
      const told = await asked(address, {});
      if (!told) return;
      list.replaceChildren(...told.views.map((view) => {
        const row = made("li", {}), link = made("a", { href: location.pathname + (view.query ? "?" + view.query : ""), textContent: view.name });
        const forget = made("button", { type: "button", textContent: "×" });
        forget.setAttribute("aria-label", `${shell.words.forget_view}: ${view.name}`);
        forget.addEventListener("click", async () => {
          if (await asked(`${address}?name=${encodeURIComponent(view.name)}`, { method: "DELETE" })) show();
        });
        row.append(link, forget);
        return row;
      }));
    }

    async function save() {
      const text = name.value.trim();
      if (!text) return name.focus();
      const told = await asked(address, { method: "PUT", body: JSON.stringify({ name: text, query: query() }) });
      if (!told) return;
      name.value = "";
      shell.tell(shell.words.done, "good");
      show();
    }

    details.addEventListener("toggle", () => details.open && show());
    keep.addEventListener("click", save);
    name.addEventListener("keydown", (event) => {
      if (event.key === "Enter") { event.preventDefault(); save(); }  // Not the form of the filter.
    });
  }

  for (const place of document.querySelectorAll("[data-views]")) if (place.dataset.views) panel(place);
})();
