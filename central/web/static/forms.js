// Forms that the JSON API answers: sent once, against the version that was seen, nothing typed is lost.
"use strict";
(() => {
  const keys = new WeakMap(), seen = new WeakMap();
  const WAIT_MS = 30000;
  // Whoever signs in next in this tab is not shown what somebody else typed.
  const draftName = (form) => form.dataset.draft && `draft:${document.body.dataset.who}:${location.pathname}:${form.dataset.draft}`;
  const keyName = (form) => draftName(form).replace("draft:", "key:");
  const fields = (form) => [...form.querySelectorAll("[name]")].filter((field) => !field.disabled && !field.closest("template"));

  function valueOf(field) {
    if (field.dataset.type === "check") return field.checked;
    if (field.dataset.type === "object") return {};  // Sent even if nothing in it is filled in.
    if (field.type === "password") return field.value || undefined;
    const text = field.value.trim();
    if (text === "") return field.dataset.empty === "keep" ? "" : undefined;
    if (field.dataset.type === "int") return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
    return text;
  }

  // Puts the rows of a repeated part in order: lines[].item becomes lines.0.item, lines.1.item ...
  function number(form) {
    for (const part of form.querySelectorAll("[data-repeat]")) {
      [...part.querySelectorAll(":scope > [data-row]")].forEach((row, index) => {
        for (const field of row.querySelectorAll("[data-name]")) field.name = `${part.dataset.repeat}.${index}.${field.dataset.name}`;
      });
    }
  }

  function collected(form) {
    number(form);
    const found = {};
    for (const field of fields(form)) {
      const value = valueOf(field), path = field.name.split(".");
      if (value === undefined || (field.type === "radio" && !field.checked)) continue;
      let place = found;
      path.forEach((step, index) => {
        const key = /^\d+$/.test(step) ? Number(step) : step;
        if (index === path.length - 1) { place[key] = value; return; }
        if (place[key] === undefined) place[key] = /^\d+$/.test(path[index + 1]) ? [] : {};
        place = place[key];
      });
    }
    return compact(found);
  }

  // Rows that were left empty leave holes in lists; they are not sent.
  function compact(value) {
    if (Array.isArray(value)) return value.filter((one) => one !== undefined).map(compact);
    if (value && typeof value === "object") return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, compact(one)]));
    return value;
  }

  const at = (value, path) => path.split(".").reduce((place, step) => (place === undefined || place === null ? undefined : place[step]), value);

  function refuse(form, texts) {
    const place = form.querySelector(".refusal");
    place.hidden = !texts.length;
    place.replaceChildren(...texts.map((text) => { const line = document.createElement("span"); line.textContent = text; return line; }));
    if (texts.length) place.scrollIntoView({ block: "nearest" });
  }

  const faultsOf = (problem) => (problem.fields && problem.fields.faults) || [];

  // A refusal names the field: among its faults, or at the beginning of what it says.
  function markFields(form, problem) {
    const said = `; ${problem.detail || ""}`, named = new Set(faultsOf(problem).map((one) => one.field));
    for (const field of fields(form)) {
      if (named.has(field.name) || said.includes(`; ${field.name}: `)) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  }

  async function send(form) {
    if (form.dataset.sending || form.dataset.sent) return;  // Of what was sent the page is on its way.
    form.dataset.sending = "1";
    try {
      if (!form.dataset.confirm || await shell.sure(form.dataset.confirm)) await post(form);
    } finally {
      delete form.dataset.sending;
    }
  }

  async function post(form) {
    const body = JSON.stringify(collected(form)), url = form.dataset.url;
    // The same request again carries the same key: what was done already is only answered.
    const known = keys.get(form), same = known && known.body === body && known.url === url && known.version === form.dataset.version;
    const key = same ? known.key : newKey();
    keys.set(form, { key, body, url, version: form.dataset.version });
    // A tab that is loaded again before the answer comes sends it under the same key again.
    if (draftName(form)) sessionStorage.setItem(keyName(form), JSON.stringify(keys.get(form)));
    const buttons = form.querySelectorAll("button:not([type=button])");
    for (const button of buttons) button.disabled = true;
    refuse(form, []);
    try {
      const headers = { "Content-Type": "application/json", "Idempotency-Key": key, "Accept-Language": shell.language, ...shell.csrf };
      if (form.dataset.version) headers["If-Match"] = `"${form.dataset.version}"`;
      const method = form.dataset.api;
      const answer = await fetch(url, { method, headers, body: method === "DELETE" && body === "{}" ? undefined : body, signal: AbortSignal.timeout(WAIT_MS) });
      const text = await answer.text();
      const told = text ? JSON.parse(text) : {};
      if (answer.ok) return succeed(form, told);
      if (answer.status !== 503) forget(form);
      if (answer.status === 412 && form.dataset.read) return await differ(form, told);
      markFields(form, told);
      const further = faultsOf(told).slice(1).map((one) => `${one.field}: ${one.message}`);
      refuse(form, [told.detail || told.title, told.hint, ...further].filter(Boolean));
    } catch {
      refuse(form, [shell.words.unsent]);
    } finally {
      for (const button of buttons) button.disabled = false;
    }
  }

  const newKey = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  // Where one form decides for all of a part, the others have nothing left to say.
  const decidedWith = (form) => [...(form.closest("[data-decides]")?.querySelectorAll("form.api") ?? [form])];

  function forget(form) {
    keys.delete(form);
    if (draftName(form)) sessionStorage.removeItem(keyName(form));
  }

  function succeed(form, told) {
    forget(form);
    for (const one of decidedWith(form)) {
      delete one.dataset.dirty;
      if (draftName(one)) sessionStorage.removeItem(draftName(one));
    }
    form.dispatchEvent(new CustomEvent("sent", { bubbles: true, detail: told }));
    if (form.dataset.then) {
      form.dataset.sent = "1";
      location.assign(form.dataset.then.replace(/\{([\w.]+)\}/g, (_, path) => encodeURIComponent(at(told, path) ?? "")));
      return;
    }
    shell.tell(shell.words.done, "good");
    const open = form.closest("details[data-closes]");
    if (open) open.open = false;
    if (document.activeElement && form.contains(document.activeElement)) document.activeElement.blur();
    shell.refreshSoon();
  }

  // What the answer calls a field, where that is another name than in the request.
  const nameThere = (field) => (field.dataset.there ? field.name.replace(/[^.]+$/, field.dataset.there) : field.name);

  // Somebody else changed the object: what was seen, what is there, what was typed.
  async function differ(form, told) {
    const answer = await fetch(form.dataset.read, { headers: { "Accept-Language": shell.language } });
    if (!answer.ok) return refuse(form, [told.detail, told.hint].filter(Boolean));
    const now = await answer.json(), version = (answer.headers.get("ETag") || "").replace(/\D/g, "");
    refuse(form, [shell.words.outdated]);
    const table = document.createElement("table"), head = table.createTHead().insertRow();
    for (const word of [shell.words.field, shell.words.seen, shell.words.now, shell.words.yours]) {
      const cell = document.createElement("th");
      cell.textContent = word;
      head.append(cell);
    }
    const rows = table.createTBody();
    for (const field of fields(form).filter((one) => one.type !== "hidden")) {
      const before = seen.get(field) ?? "", there = String(at(now, nameThere(field)) ?? ""), yours = String(valueOf(field) ?? "");
      if (before === there && before === yours) continue;
      const row = rows.insertRow();
      for (const text of [field.dataset.label || field.name, before, there, yours]) row.insertCell().textContent = text;
      row.className = before !== there ? "theirs" : "";
    }
    const again = document.createElement("button"), take = document.createElement("button");
    again.textContent = shell.words.again;
    again.addEventListener("click", () => { form.dataset.version = version; });
    take.textContent = shell.words.take;
    take.type = "button";
    take.addEventListener("click", () => { delete form.dataset.dirty; if (draftName(form)) sessionStorage.removeItem(draftName(form)); location.reload(); });
    form.querySelector(".refusal").append(table, again, take);
  }

  function keepDraft(form) {
    if (!draftName(form)) return;
    number(form);
    const rows = [...form.querySelectorAll("[data-repeat]")].map((part) => [part.dataset.repeat, part.querySelectorAll(":scope > [data-row]").length]);
    const values = fields(form).filter((field) => field.type !== "hidden").map((field) => [field.name, field.type === "checkbox" ? field.checked : field.value, seen.get(field)]);
    sessionStorage.setItem(draftName(form), JSON.stringify({ rows, values, version: form.dataset.version }));
  }

  function restoreDraft(form) {
    const kept = draftName(form) && sessionStorage.getItem(draftName(form));
    if (!kept) return;
    const { rows, values, version } = JSON.parse(kept);
    // It was typed against what was there then: whoever changed that meanwhile is not overwritten.
    if (version !== undefined) form.dataset.version = version;
    for (const [name, count] of rows) {
      const part = form.querySelector(`[data-repeat="${CSS.escape(name)}"]`);
      while (part && part.querySelectorAll(":scope > [data-row]").length < count) addRow(form, name);
    }
    number(form);
    for (const [name, value, before] of values) {
      const field = fields(form).find((one) => one.name === name);
      if (!field) continue;
      if (before !== undefined) seen.set(field, before);
      if (field.type === "checkbox") field.checked = value; else field.value = value;
    }
    form.dataset.dirty = "1";
    const key = sessionStorage.getItem(keyName(form));
    if (key) keys.set(form, JSON.parse(key));
    shell.tell(shell.words.restored, "good");
  }

  function addRow(form, name) {
    const part = form.querySelector(`[data-repeat="${CSS.escape(name)}"]`);
    const row = form.querySelector(`template[data-for="${CSS.escape(name)}"]`).content.cloneNode(true);
    part.append(row);
    number(form);
    return part.lastElementChild;
  }

  function remember(root) {
    for (const form of root.querySelectorAll("form.api")) {
      number(form);
      // A browser cuts what is pasted without a word; the server refuses it, and all of it stays.
      for (const field of form.querySelectorAll("[maxlength]")) field.removeAttribute("maxlength");
      for (const field of fields(form)) if (!seen.has(field)) seen.set(field, String(valueOf(field) ?? ""));
      restoreDraft(form);
    }
  }

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form.api")) return;
    event.preventDefault();
    const missing = fields(event.target).find((field) => field.required && !field.value.trim());
    if (missing) { missing.setAttribute("aria-invalid", "true"); missing.focus(); return; }
    send(event.target);
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("form.api");
    if (!form) return;
    form.dataset.dirty = "1";
    event.target.removeAttribute("aria-invalid");
    keepDraft(form);
  });
  document.addEventListener("click", (event) => {
    const add = event.target.closest("button[data-add]"), remove = event.target.closest("button[data-remove]");
    const form = event.target.closest("form.api");
    if (!form || !(add || remove)) return;
    if (add) addRow(form, add.dataset.add).querySelector("[name]").focus();
    if (remove) { remove.closest("[data-row]").remove(); number(form); }
    form.dataset.dirty = "1";
    keepDraft(form);
  });
  // Who comes back to a form that was sent finds an empty one: pressing again would make another.
  addEventListener("pageshow", (event) => {
    if (event.persisted && document.querySelector("form.api[data-sent]")) location.reload();
  });
  document.addEventListener("drawn", (event) => remember(event.target));
  remember(document);
})();
