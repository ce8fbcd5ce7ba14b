// Forms of documents: rows that are numbered, ticked or left empty, and codes that are looked up.
"use strict";
(() => {
  const TYPING_MS = 150;
  const typing = new WeakMap();
  let lists = 0, picking = false;

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

  // The list below a field. Not a datalist: browsers do not open one whose choices come later.
  function listOf(field) {
    if (field.hasAttribute("aria-controls")) return document.getElementById(field.getAttribute("aria-controls"));
    const list = document.createElement("ul");
    list.id = `look-up-${++lists}`;
    list.className = "proposals";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", field.dataset.label);
    list.hidden = true;
    list.addEventListener("pointerdown", (event) => {
      event.preventDefault();  // The field keeps the focus.
      pick(field, event.target.closest("[role=option]"));
    });
    field.closest("label").after(list);
    for (const [name, value] of [["role", "combobox"], ["aria-autocomplete", "list"], ["aria-expanded", "false"], ["aria-controls", list.id]]) field.setAttribute(name, value);
    return list;
  }

  function unfold(field, open) {
    const list = listOf(field), label = field.closest("label");
    list.hidden = !open;
    field.setAttribute("aria-expanded", String(open));
    if (!open) return field.removeAttribute("aria-activedescendant");
    list.style.left = `${Math.max(0, Math.min(label.offsetLeft, label.parentElement.offsetWidth - list.offsetWidth))}px`;
    list.style.top = `${label.offsetTop + label.offsetHeight}px`;
  }

  function pick(field, option) {
    if (!option) return;
    clearTimeout(typing.get(field));
    field.value = option.dataset.value;
    picking = true;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    picking = false;
    unfold(field, false);
  }

  function step(field, by) {
    const options = [...listOf(field).children];
    const at = options.findIndex((one) => one.getAttribute("aria-selected") === "true");
    const next = options[Math.min(Math.max(at + by, 0), options.length - 1)];
    for (const one of options) one.setAttribute("aria-selected", String(one === next));
    field.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  }

  async function propose(field) {
    const list = listOf(field), typed = field.value.trim();
    const query = new URLSearchParams({ q: typed, within: field.dataset.in || (field.dataset.by ? valueNear(field, field.dataset.by) : "") });
    const text = await shell.piece(`/look-up/${field.dataset.lookUp}?${query}`);
    if (text === null || document.activeElement !== field || field.value.trim() !== typed) return;
    list.innerHTML = text;
    [...list.children].forEach((one, index) => { one.id = `${list.id}-${index}`; });
    const found = list.children, known = found.length === 1 && found[0].dataset.value === typed;
    unfold(field, found.length > 0 && !known);
  }

  const wanted = (event) => event.target.matches && event.target.matches("input[data-look-up]");
  document.addEventListener("click", (event) => { if (wanted(event) && !event.target.value) propose(event.target); });
  document.addEventListener("focusout", (event) => { if (wanted(event)) unfold(event.target, false); });
  document.addEventListener("input", (event) => {
    if (!wanted(event) || picking) return;
    clearTimeout(typing.get(event.target));
    typing.set(event.target, setTimeout(propose, TYPING_MS, event.target));
  });
  document.addEventListener("keydown", (event) => {
    if (!wanted(event)) return;
    const field = event.target, open = field.getAttribute("aria-expanded") === "true";
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (open) step(field, event.key === "ArrowDown" ? 1 : -1); else propose(field);
    } else if (open && event.key === "Enter") {
      const chosen = listOf(field).querySelector("[aria-selected=true]");
      if (chosen) { event.preventDefault(); pick(field, chosen); }
    } else if (open && event.key === "Escape") { event.stopPropagation(); unfold(field, false); }
  }, true);
  // An opened form is written in at once.
  document.addEventListener("toggle", (event) => {
    if (!event.target.matches("details.act") || !event.target.open) return;
    const first = event.target.querySelector("input:not([type=hidden]), select, textarea");
    if (first) first.focus();
  }, true);
})();
