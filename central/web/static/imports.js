// Import of a file: checked first, every fault shown, written only when somebody says so.
"use strict";
(() => {
  const FAULTS_SHOWN_MAX = 200;
  const form = document.getElementById("import"), report = document.getElementById("report");
  const words = JSON.parse(form.dataset.words), file = form.querySelector("input[type=file]");
  const buttons = Object.fromEntries([...form.querySelectorAll("button[data-step]")].map((one) => [one.dataset.step, one]));
  let key = "";

  document.getElementById("import-table").addEventListener("change", (event) => event.target.form.submit());

  const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (_, name) => values[name]);

  function line(text, tone) {
    const place = document.createElement("p");
    place.textContent = text;
    if (tone) place.className = tone;
    report.append(place);
  }

  function faultTable(faults) {
    const table = document.createElement("table"), head = table.createTHead().insertRow(), body = table.createTBody();
    table.className = "list faults";
    for (const name of ["row", "column", "message", "hint"]) {
      const cell = document.createElement("th");
      cell.textContent = words[name];
      head.append(cell);
    }
    for (const fault of faults.slice(0, FAULTS_SHOWN_MAX)) {
      const row = body.insertRow();
      for (const name of ["row", "column", "message", "hint"]) row.insertCell().textContent = fault[name];
    }
    const scroll = document.createElement("div");
    scroll.className = "scroll";
    scroll.tabIndex = 0;
    scroll.append(table);
    report.append(scroll);
  }

  async function send(address, headers) {
    const answer = await fetch(address, { method: "POST", body: file.files[0], headers: { "Content-Type": "application/octet-stream", ...shell.csrf, ...headers } });
    return { ok: answer.ok, told: await answer.json() };
  }

  function show({ ok, told }, done) {
    report.replaceChildren();
    buttons.import.hidden = true;
    buttons.valid.hidden = true;
    if (!ok) {
      line([told.detail, told.hint].filter(Boolean).join(" "), "refusal");
      if (told.fields && told.fields.faults) faultTable(told.fields.faults);
      return;
    }
    if (told.told) line(told.told);
    line(fill(words.rows, { rows: told.rows_count, sound: told.sound_count }));
    if (done) return line(fill(words.done, told), "warning good");
    line(told.faults_count ? fill(words.faults, { count: told.faults_count }) : words.clean, told.faults_count ? "warning" : "");
    if (told.faults_count) faultTable(told.faults);
    buttons.import.hidden = Boolean(told.faults_count) || !told.sound_count;
    buttons.valid.hidden = !told.faults_count || !told.sound_count;
  }

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const step = event.submitter ? event.submitter.dataset.step : "check";
    if (!file.files.length) { report.replaceChildren(); return line(words.choose, "refusal"); }
    for (const button of Object.values(buttons)) button.disabled = true;
    report.replaceChildren();
    line(words.checking);
    const base = `/api/v1/imports/${form.dataset.table}`;
    try {
      if (step === "check") show(await send(`${base}/check`, {}), false);
      else {
        // Pressed again after a lost answer it is the same request, and done once.
        key ||= [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        const answer = await send(step === "valid" ? `${base}?only_valid=true` : base, { "Idempotency-Key": key });
        key = "";
        show(answer, answer.ok);
      }
    } catch {
      report.replaceChildren();
      line(shell.words.unsent, "refusal");
      if (step !== "check") { buttons.import.hidden = step === "valid"; buttons.valid.hidden = step !== "valid"; }
    } finally {
      for (const button of Object.values(buttons)) button.disabled = false;
    }
  });
  file.addEventListener("change", () => { key = ""; report.replaceChildren(); buttons.import.hidden = true; buttons.valid.hidden = true; });
})();
