// Forms of documents: rows that are numbered, ticked or left empty, and codes that are looked up.
"use strict";
(() => {
  const TYPING_MS = 150;
  const typing = new WeakMap();
  let lists = 0;

  // Lines keep the number that they have; an added one gets the next.
  function numberLines(form) {
    for (const part of form.querySelectorAll("[data-numbered]")) {
      const fields = [...part.querySelectorAll("[data-line]")];
      let last = Math.max(0, ...fields.map((field) => Number(field.value) || 0));
      for (const field of fields) if (!field.value) field.value = String(++last);
    }
  }

  // Of rows that nobody ticked, or in which nothing was filled in, nothing is sent.
  function leaveOut(form) {
    for (const row of form.querySelectorAll("[data-row]")) {
      const tick = row.querySelector("[data-choose-row]"), by = row.dataset.skippedBy;
      const decides = by && row.querySelector(`[data-name="${by}"]`);
      const out = (tick && !tick.checked) || (decides && !decides.value.trim());
      for (const field of row.querySelectorAll("[data-name]")) field.disabled = Boolean(out);
    }
  }

  // Puts what was typed as a part of the address into it; false if it is missing.
  function address(form) {
    const typed = [...form.querySelectorAll("[data-in-address]")];
    if (!typed.length) return true;
    form.dataset.template ||= form.dataset.url;
    form.dataset.url = form.dataset.template;
    for (const field of typed) {
      const text = field.value.trim();
      if (!text) { field.setAttribute("aria-invalid", "true"); field.focus(); return false; }
      form.dataset.url = form.dataset.url.replace(`{${field.dataset.inAddress}}`, encodeURIComponent(text));
    }
    return true;
  }

  function takeBack(form) {
    for (const field of form.querySelectorAll("[data-row] [data-name]")) field.disabled = false;
  }

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("form.api")) return;
    if (!address(form)) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    numberLines(form);
    leaveOut(form);
    setTimeout(() => takeBack(form));  // The form has been read by then.
  }, true);

  const valueNear = (field, name) => {
    const row = field.closest("[data-row]"), form = field.form;
    const near = (row && row.querySelector(`[data-name="${name}"]`)) || form.querySelector(`[name="${name}"]`);
    return near ? near.value.trim() : "";
  };

  async function propose(field) {
    if (!field.list) {
      const list = document.createElement("datalist");
      list.id = `look-up-${++lists}`;
      field.after(list);
      field.setAttribute("list", list.id);
    }
    const query = new URLSearchParams({ q: field.value.trim(), within: field.dataset.in || (field.dataset.by ? valueNear(field, field.dataset.by) : "") });
    const text = await shell.piece(`/look-up/${field.dataset.lookUp}?${query}`);
    if (text !== null && field.list) field.list.innerHTML = text;
  }

  const wanted = (event) => event.target.matches && event.target.matches("input[data-look-up]");
  document.addEventListener("focusin", (event) => { if (wanted(event)) propose(event.target); });
  document.addEventListener("input", (event) => {
    if (!wanted(event)) return;
    clearTimeout(typing.get(event.target));
    typing.set(event.target, setTimeout(propose, TYPING_MS, event.target));
  });
  // An opened form is written in at once.
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details.act") || !event.target.open) return;
    const first = event.target.querySelector("input:not([type=hidden]), select, textarea");
    if (first) first.focus();
  }, true);
})();
