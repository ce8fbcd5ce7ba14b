// Lists found and claimed devices; claims and releases them. Holds only what is being typed.
"use strict";

const byId = (id) => document.getElementById(id);
const REFRESH_MS = 1000;
const RELEASE_MS = 4000;
let language = localStorage.getItem("language") || "";
let words = {};
let shown = "";
let busy = false;
let said = null; // What became of our own wish; stays until the next one.
const cards = new Map(); // By key: the card, so that what is being typed stays.

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function make(name, className, text) {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function barcode(code) {
  const image = make("img");
  setCode(image, code);
  return image;
}

function setCode(image, code) {
  if (image.alt === code) return;
  image.alt = code;
  image.src = "/barcode/" + encodeURIComponent(code) + ".svg";
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/devices" + (language ? "?lang=" + language : ""));
    const text = await answer.text();
    if (text !== shown) {
      shown = text;
      show(JSON.parse(text));
    }
  } catch {
    shown = "";
    notice("error", words.lost || "");
  }
}

function show(page) {
  words = page.words;
  language = page.language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = words.title;
  setText(byId("title"), words.title);
  setText(byId("back"), words.back);
  setText(byId("language"), language === "zh" ? "English" : "中文");
  setText(byId("found-title"), words.found);
  setText(byId("claimed-title"), words.claimed);
  byId("itself").hidden = !page.scanner_code;
  if (page.scanner_code) {
    setText(byId("itself-text"), words.scan_itself);
    setCode(byId("itself-code"), page.scanner_code);
  }
  if (said) notice(said.kind, said.text);
  else notice("", page.notice);
  showFound(page.found);
  const rows = page.claimed.map(claimedCard);
  byId("claimed").replaceChildren(...(rows.length ? rows : [make("p", "", words.none_claimed)]));
}

function notice(kind, text) {
  const element = byId("notice");
  element.className = "notice " + kind;
  element.hidden = !text;
  setText(element, text);
}

function showFound(found) {
  const present = new Set();
  const rows = found.map((device, place) => {
    const key = device.key || "refused " + place + device.where;
    // A card is kept as long as it says the same: a rebuilt one would lose what is being typed.
    const stamp = JSON.stringify([language, device.title, device.where, device.note, device.choices, device.names, device.name]);
    let card = cards.get(key);
    if (!card || card.stamp !== stamp) {
      card = foundCard(device);
      card.stamp = stamp;
      cards.set(key, card);
    }
    if (card.code && device.code) {
      setCode(card.code, device.code);
      setText(card.codeText, device.code);
    }
    present.add(key);
    return card.element;
  });
  for (const key of cards.keys()) if (!present.has(key)) cards.delete(key);
  const list = byId("found");
  const wanted = rows.length ? rows : [make("p", "", words.none_found)];
  const same = wanted.length === list.children.length && wanted.every((row, i) => row === list.children[i]);
  if (!same) list.replaceChildren(...wanted);
}

function foundCard(device) {
  const element = make("div", device.key ? "card" : "card refused");
  element.append(make("h3", "", device.title), make("p", "where", device.where));
  if (device.note) element.append(make("p", "note", device.note));
  const card = { element };
  if (!device.key || !device.choices.length) return card;
  const form = make("form");
  const driver = make("select");
  for (const choice of device.choices) {
    const option = make("option", "", choice.text + (choice.free ? "" : " – " + words.needs));
    option.value = choice.name;
    option.disabled = !choice.free;
    driver.append(option);
  }
  const free = device.choices.findIndex((choice) => choice.free);
  driver.selectedIndex = free < 0 ? 0 : free;
  const name = make("input");
  name.value = device.name;
  name.maxLength = 64;
  const button = make("button", "go", words.claim);
  button.disabled = free < 0;
  const fields = [[words.driver, driver], [words.name, name]];
  if (device.names.length) {
    // A device serves the station whose code begins its name.
    const station = make("select", "station");
    for (const [code, named] of device.names) {
      const option = make("option", "", code);
      option.value = named;
      station.append(option);
    }
    station.addEventListener("change", () => { name.value = station.value; });
    fields.unshift([words.station, station]);
  }
  for (const [label, input] of fields) {
    const wrapped = make("label", "", label);
    wrapped.append(input);
    form.append(wrapped);
  }
  form.append(button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    claim(device.key, driver.value, name.value, form, false);
  });
  element.append(form);
  if (device.code) {
    card.code = barcode(device.code);
    card.codeText = make("code", "", device.code);
    element.append(make("p", "where", words.scan_other), card.code, card.codeText);
  }
  return card;
}

async function claim(key, driver, name, form, force) {
  if (busy) return;
  busy = true;
  said = { kind: "warning", text: words.trying };
  notice(said.kind, said.text);
  said = await wish("/api/v1/claims", { key, driver, name, force });
  busy = false;
  notice(said.kind, said.text);
  if (said.kind === "error" && !form.querySelector(".force")) {
    const again = make("button", "force", words.force);
    again.type = "button";
    again.addEventListener("click", () => {
      const [select, input] = [form.querySelector("select:not(.station)"), form.querySelector("input")];
      claim(key, select.value, input.value, form, true);
    });
    form.append(again);
  }
  refresh();
}

function claimedCard(device) {
  const element = make("div", "card " + device.state);
  const title = make("h3");
  title.append(make("i", "light"), device.name);
  element.append(title, make("p", "where", device.text), make("p", "state", device.word));
  if (device.note) element.append(make("p", "note", device.note));
  const button = make("button", "", words.release);
  let sure = false;
  button.type = "button";
  button.addEventListener("click", async () => {
    if (!sure) {
      sure = true;
      button.textContent = words.release_again;
      setTimeout(() => { sure = false; button.textContent = words.release; }, RELEASE_MS);
      return;
    }
    said = await wish("/api/v1/releases", { name: device.name });
    notice(said.kind, said.text);
    refresh();
  });
  element.append(button);
  return element;
}

async function wish(path, body) {
  try {
    const answer = await fetch(path + (language ? "?lang=" + language : ""), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const type = answer.headers.get("content-type") || "";
    if (type.startsWith("application/json")) return await answer.json();
    return { kind: "error", text: await answer.text() };
  } catch {
    return { kind: "error", text: words.lost };
  }
}

byId("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  said = null;
  shown = "";
  refresh();
});
setInterval(() => { if (!document.hidden && !busy) refresh(); }, REFRESH_MS);
refresh();
