// Tables: filter, sort, pages, opened rows and keys without leaving the page; drawn anew when needed.
"use strict";
(() => {
  const TYPING_MS = 200;
  const typing = new WeakMap(), asked = new WeakMap();

  const narrow = matchMedia("(max-width: 600px)");

  // On a telephone the rows come first: filters are folded, with how many of them are set.
  function fold() {
    for (const one of document.querySelectorAll("details.fold")) one.open = !narrow.matches;
  }

  function tellSet() {
    for (const one of document.querySelectorAll("details.fold")) {
      const set = [...one.querySelectorAll("[name]")].filter((field) => (field.type === "checkbox" ? field.checked : field.value));
      one.querySelector("summary b").textContent = set.length ? `(${set.length})` : "";
    }
  }

  const rowsOf = (listing) => listing.querySelector(".rows");

  async function show(listing, query, remember) {
    const number = (asked.get(listing) || 0) + 1;
    asked.set(listing, number);
    const address = new URL("/tables/" + listing.dataset.listing, location.href);
    address.search = query;
    if (listing.dataset.main) address.searchParams.set("main", "1");
    const text = await shell.piece(address.pathname + address.search);
    if (number !== asked.get(listing)) return;  // A later question has been asked since.
    const rows = rowsOf(listing);
    if (text === null) return shell.tell(shell.words.failed, "bad");
    const open = [...rows.querySelectorAll("button.open[aria-expanded=true]")].map((one) => one.closest("tr").dataset.key);
    const current = rows.contains(document.activeElement) ? document.activeElement.closest("tr") : null;
    const key = current ? current.dataset.key : null, chosen = chosenKeys(rows);
    const all = rows.querySelector("button.columns[aria-pressed=true]") !== null;
    rows.innerHTML = text;
    rows.dataset.fragment = rows.querySelector(".scroll").dataset.fragment;
    const excel = listing.querySelector("a.export");
    if (excel) excel.href = rows.querySelector(".scroll").dataset.export;
    shell.localTimes(rows);
    for (const one of open) toggle(rowOf(rows, one));
    for (const one of chosen) { const box = rowOf(rows, one)?.querySelector("input[data-choose]"); if (box) box.checked = true; }
    if (key) focusRow(rowOf(rows, key));
    if (all) rows.querySelector("button.columns").setAttribute("aria-pressed", "true");
    if (remember && listing.dataset.main) history.replaceState(null, "", listing.dataset.path + query);
    listing.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
  }

  const rowOf = (rows, key) => rows.querySelector(`tr[data-key="${CSS.escape(key)}"]`);
  const chosenKeys = (rows) => [...rows.querySelectorAll("input[data-choose]:checked")].map((one) => one.closest("tr").dataset.key);
  const queryOf = (listing) => new URL(rowsOf(listing).dataset.fragment, location.href).search;

  function wanted(form) {
    const values = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    return values.size ? "?" + values : "";
  }

  async function toggle(row) {
    const button = row && row.querySelector("button.open");
    if (!button) return;
    if (button.getAttribute("aria-expanded") === "true") {
      row.nextElementSibling.remove();
      return button.setAttribute("aria-expanded", "false");
    }
    const detail = document.createElement("tr"), cell = document.createElement("td");
    detail.className = "detail";
    cell.colSpan = row.cells.length;
    detail.append(cell);
    row.after(detail);
    button.setAttribute("aria-expanded", "true");
    const text = await shell.piece(button.dataset.src);
    if (text === null) cell.textContent = shell.words.failed;
    else { cell.innerHTML = text; shell.localTimes(cell); }
  }

  function focusRow(row) {
    if (!row) return;
    row.tabIndex = -1;
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function step(listing, by) {
    const rows = [...rowsOf(listing).querySelectorAll("tr[data-key]")];
    const at = rows.indexOf(document.activeElement.closest ? document.activeElement.closest("tr[data-key]") : null);
    focusRow(rows[Math.min(Math.max(at + by, 0), rows.length - 1)]);
  }

  document.addEventListener("input", (event) => {
    if (event.target.closest("details.fold")) tellSet();
    const form = event.target.closest("form.filters");
    if (!form || event.target.closest(".views")) return;
    clearTimeout(typing.get(form));
    typing.set(form, setTimeout(() => show(form.closest(".listing"), wanted(form), true), TYPING_MS));
  });
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.filters")) return;
    event.preventDefault();
    show(event.target.closest(".listing"), wanted(event.target), true);
  });
  document.addEventListener("click", (event) => {
    const listing = event.target.closest(".listing");
    if (!listing) return;
    const link = event.target.closest("a[data-sort], .pager a"), open = event.target.closest("button.open");
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const query = new URL(link.getAttribute("href"), location.href).search;
      const sort = listing.querySelector("input[name=sort]");
      if (sort && link.dataset.sort !== undefined) sort.value = new URLSearchParams(query).get("sort") || "";
      show(listing, query, true);
      if (link.closest(".pager")) listing.scrollIntoView({ block: "start" });
    } else if (open) {
      toggle(open.closest("tr"));
    } else if (!event.target.closest("a, button, input, select, label, summary, tr.detail") && !getSelection().toString()) {
      const row = event.target.closest("tr[data-href]");
      if (row) location.href = row.dataset.href;
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea, dialog *")) return;
    const listing = event.target.closest(".listing") || document.querySelector(".listing[data-main='1']") || document.querySelector(".listing");
    if (!listing) return;
    const row = document.activeElement.closest("tr[data-key]");
    if (event.key === "j" || (event.key === "ArrowDown" && event.target.closest(".rows"))) { event.preventDefault(); step(listing, 1); }
    else if (event.key === "k" || (event.key === "ArrowUp" && event.target.closest(".rows"))) { event.preventDefault(); step(listing, -1); }
    else if (event.key === "Enter" && row === document.activeElement && row) {
      if (row.dataset.href) location.href = row.dataset.href; else toggle(row);
    } else if (event.key === "o" && row) toggle(row);
    else if (event.key === "f") { const field = listing.querySelector(".filters input, .filters select"); if (field) { event.preventDefault(); const over = field.closest("details.fold"); if (over) over.open = true; field.focus(); } }
    else if (event.key === "n" || event.key === "p") { const link = listing.querySelector(`.pager a[rel=${event.key === "n" ? "next" : "prev"}]`); if (link) link.click(); }
  });

  // Where a table is wider than its place, columns that matter least are folded, the last first.
  function foldColumns(root) {
    for (const scroll of root.querySelectorAll(".scroll:has(> table.list)")) {
      const button = scroll.parentElement.querySelector("button.columns");
      if (!button) continue;
      const table = scroll.querySelector("table"), headings = [...table.tHead.rows[0].cells];
      const hide = (at, yes) => { for (const row of table.rows) if (row.cells.length === headings.length) row.cells[at].hidden = yes; };
      headings.forEach((one, at) => { if (one.hidden) hide(at, false); });
      let folded = 0;
      if (!narrow.matches && button.getAttribute("aria-pressed") !== "true")
        for (const which of [".wide", "th"])
          for (let at = headings.length - 1; at > 1 && scroll.scrollWidth > scroll.clientWidth + 1; at--)
            if (!headings[at].hidden && headings[at].matches(which)) { hide(at, true); folded++; }
      button.hidden = !folded && button.getAttribute("aria-pressed") !== "true";
    }
  }

  let resized = 0;
  addEventListener("resize", () => { clearTimeout(resized); resized = setTimeout(() => foldColumns(document), TYPING_MS); });
  document.addEventListener("drawn", (event) => foldColumns(event.target));
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.columns");
    if (!button) return;
    button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") === "true" ? "false" : "true");
    foldColumns(button.closest(".listing, .part") || document);
  });

  narrow.addEventListener("change", () => { fold(); foldColumns(document); });
  fold();
  foldColumns(document);
  tellSet();
  shell.watch(() => {
    for (const listing of document.querySelectorAll(".listing")) {
      const field = listing.querySelector("form.filters");
      if (!(field && shell.busy(field))) show(listing, queryOf(listing), false);
    }
  });
})();
