// The inbox of discrepancies: rows are chosen, and settled or assigned one by one through the API.
"use strict";
(() => {
  const bulk = document.getElementById("bulk");
  if (!bulk) return single();
  const words = JSON.parse(bulk.dataset.words), told = bulk.querySelector("ul");
  const listing = document.querySelector(".listing");
  const rows = () => [...listing.querySelectorAll("tr[data-key]")];
  const chosen = () => rows().filter((row) => row.querySelector("input[data-choose]")?.checked);

  function addBoxes() {
    for (const row of rows()) {
      if (row.querySelector("input[data-choose]")) continue;
      const box = document.createElement("input");
      box.type = "checkbox";
      box.dataset.choose = "1";
      box.setAttribute("aria-label", `${words.choose}: ${row.cells[0].textContent.trim()}`);
      row.cells[0].prepend(box);
    }
    count();
  }

  function count() {
    const number = chosen().length;
    bulk.hidden = !number && !told.children.length;
    bulk.querySelector(".count").textContent = words.count.replace("%(num)s", number);
  }

  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((one) => one.toString(16).padStart(2, "0")).join("");

  async function ask(method, url, body, version) {
    const headers = { "Content-Type": "application/json", "Accept-Language": shell.language, ...shell.csrf };
    if (method === "POST") Object.assign(headers, { "Idempotency-Key": newKey(), "If-Match": `"${version}"` });
    try {
      const answer = await fetch(url, { method, headers, body: body && JSON.stringify(body) });
      return { ok: answer.ok, told: JSON.parse((await answer.text()) || "{}") };
    } catch {
      return { ok: false, told: { detail: shell.words.unsent } };
    }
  }

  function report(row, text, bad) {
    const line = document.createElement("li");
    line.textContent = `${row.cells[0].textContent.trim()} · ${row.cells[1].textContent.trim()}: ${text}`;
    line.className = bad ? "bad" : "good";
    told.append(line);
    bulk.hidden = false;
  }

  // One request a row, one after the other: each is decided against the version that is there.
  async function each(chosenRows, act) {
    told.replaceChildren();
    for (const row of chosenRows) {
      const url = `/api/v1/discrepancies/${encodeURIComponent(row.dataset.key)}`;
      const found = await ask("GET", url);
      const done = found.ok ? await act(url, found.told) : found;
      report(row, done.ok ? done.said : [words.failed, done.told.detail, done.told.hint].filter(Boolean).join(" – "), !done.ok);
      if (done.ok) { const box = row.querySelector("input[data-choose]"); if (box) box.checked = false; }
    }
    count();
    shell.refreshSoon();
  }

  const settle = (reason) => async (url, one) => {
    if (!one.proposals.length) return { ok: false, told: { detail: words.none } };
    const proposal = one.proposals[0];
    const done = await ask("POST", url + "/settle", { ...proposal.body, reason: reason || proposal.why }, one.version);
    return { ...done, said: words.settled };
  };
  const assign = (owner) => async (url, one) => ({ ...(await ask("POST", url + "/assign", { owner }, one.version)), said: words.assigned });

  bulk.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-bulk]"), list = chosen();
    if (!button || !list.length || bulk.dataset.busy) return;
    if (button.dataset.bulk === "settle" && !(await shell.sure(words.asking))) return;
    bulk.dataset.busy = "1";
    const act = button.dataset.bulk === "settle" ? settle(document.getElementById("bulk-reason").value.trim()) : assign(document.getElementById("bulk-owner").value.trim());
    await each(list, act);
    delete bulk.dataset.busy;
  });
  document.addEventListener("change", (event) => { if (event.target.matches("input[data-choose]")) { if (event.target.checked) told.replaceChildren(); count(); } });
  document.addEventListener("keydown", async (event) => {
    const row = document.activeElement.closest("tr[data-key]");
    if (!row || row !== document.activeElement || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "x") { const box = row.querySelector("input[data-choose]"); box.checked = !box.checked; count(); }
    if (event.key === "s" && !bulk.dataset.busy) {
      event.preventDefault();
      if (!(await shell.sure(`${words.proposed}: ${row.cells[0].textContent.trim()}?`))) return;
      bulk.dataset.busy = "1";
      await each([row], settle(""));
      delete bulk.dataset.busy;
    }
  });
  listing.addEventListener("drawn", addBoxes);
  addBoxes();

  // On the page of one: s goes to the button that settles it as proposed.
  function single() {
    document.addEventListener("keydown", (event) => {
      if (event.key !== "s" || event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
      const button = document.querySelector("#proposals form.api button.go");
      if (button) { event.preventDefault(); button.focus(); }
    });
  }
})();
