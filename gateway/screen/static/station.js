// Shows the gateway's state; holds none of its own but the language and the last sound.
"use strict";

const byId = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
let words = {};
let language = localStorage.getItem("language") || "";
let events = null;
let soundedNumber = -1;
let audio = null;
let lastState = null;

function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

async function start() {
  try {
    const query = language ? "?lang=" + language : "";
    const answer = await fetch("/api/v1/words" + query);
    words = await answer.json();
  } catch {
    setTimeout(start, 1000);
    return;
  }
  language = words.language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = words.title + " " + words.station;
  setText("station", words.title + " " + words.station);
  setText("scans-title", words.last_scans);
  setText("passages-title", words.passages);
  setText("devices-title", words.devices);
  setText("claim-link", words.claim_devices);
  setText("weight-title", words.weight);
  setText("zero", words.zero);
  setText("sheet", words.sheet);
  setText("sound", words.sound);
  byId("sheet").href = "/sheet?lang=" + language;
  setText("language", language === "zh" ? "English" : "中文");
  for (const button of document.querySelectorAll("[data-word]")) {
    button.textContent = words[button.dataset.word];
  }
  listen();
}

function listen() {
  if (events) events.close();
  events = new EventSource("/events?lang=" + language);
  events.onmessage = (event) => {
    document.body.classList.remove("lost");
    lastState = JSON.parse(event.data);
    show(lastState);
  };
  events.onerror = () => {
    document.body.classList.add("lost");
    showProblem(words.lost, false);
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
}

function showProblem(text, mild) {
  byId("problem").classList.toggle("mild", mild);
  byId("problem").hidden = !text;
  setText("problem", text);
}

function show(state) {
  setText("prompt", state.prompt);
  setText("operator", state.operator);
  showProblem(state.problem, state.work_goes_on);
  byId("link").className = "link" + (state.connected ? " ok" : "");
  setText("link-text", words.central + ": " + (state.connected ? words.connected : words.not_connected));
  const unsent = state.unsent_count;
  byId("unsent").className = "unsent" + (unsent ? " some" : "");
  setText("unsent", unsent ? unsent + " " + words.unsent : words.all_sent);
  showKnowledge(state.knowledge);
  showSignal(state);
  showWeight(state.weight);
  byId("scans").replaceChildren(...state.scans.map(scanRow));
  byId("passages-title").hidden = !state.passages.length;
  byId("passages").replaceChildren(...state.passages.map(passageRow));
  const rows = state.devices.map(deviceRow);
  byId("devices").replaceChildren(...(rows.length ? rows : [words.no_devices]));
  const names = new Set(state.devices.map((device) => device.name));
  // What is wrong with a device stands beside its light; here is what belongs to none.
  byId("repairs").replaceChildren(...state.repairs.filter((one) => !names.has(one.subject)).map(repairRow));
  const scale = state.weight && state.devices.find((device) => device.name === state.weight.device);
  byId("zero").hidden = !(scale && scale.commands.includes("zero"));
  sound(state.scans);
}

function showKnowledge(knowledge) {
  // A day or more ago the hour alone says nothing.
  const time = new Date(knowledge.as_of_ms);
  const format = Date.now() - time < 20 * 3600 * 1000
    ? { hour: "2-digit", minute: "2-digit" }
    : { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" };
  const line = knowledge.text.replace("{time}", time.toLocaleString("sv-SE", format));
  const text = [line, knowledge.problem].filter(Boolean).join(language === "zh" ? "。" : ". ");
  byId("knowledge").hidden = !text;
  setText("knowledge", text);
}

function showSignal(state) {
  const signal = state.signal;
  byId("signal").className = "signal " + (signal ? signal.kind : "idle");
  byId("signal-icon").setAttribute("href", "#icon-" + (signal ? signal.kind : "idle"));
  setText("signal-word", signal ? signal.word : words.waiting);
  setText("signal-text", signal ? signal.text : "");
  const done = signal && signal.text !== state.done ? state.done : "";
  setText("done", done && signal.kind === "error" ? words.before + " " + done : done);
}

function showWeight(weight) {
  let kind = "none";
  if (weight) kind = weight.problem ? "problem" : weight.stable ? "stable" : "moving";
  byId("weight").className = "weight " + kind;
  setText("weight-value", weight && weight.value ? weight.value : "–");
  byId("weight-line").className = weight && weight.value.length > 7 ? "value long" : "value";
  setText("weight-unit", weight ? weight.unit : "");
  const word = { none: words.no_weight, stable: "✓ " + words.stable, moving: "≈ " + words.moving };
  setText("weight-word", kind === "problem" ? weight.problem : word[kind]);
}

function icon(kind) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", "#icon-" + kind);
  svg.append(use);
  return svg;
}

function textElement(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}

function scanRow(scan) {
  const row = document.createElement("li");
  row.className = scan.signal.kind;
  const time = new Date(scan.time_ms).toLocaleTimeString("en-GB");
  const repeated = !scan.code || scan.signal.text.startsWith(scan.code);
  const text = repeated ? scan.signal.text : scan.code + "  " + scan.signal.text;
  row.append(icon(scan.signal.kind), textElement("time", time), textElement("span", text));
  return row;
}

function passageRow(passage) {
  const row = document.createElement("li");
  const time = new Date(passage.time_ms).toLocaleTimeString("en-GB");
  row.append(textElement("time", time), textElement("span", passage.text));
  return row;
}

function deviceRow(device) {
  const row = document.createElement("li");
  row.className = device.state === "ready" ? "ok" : device.state;
  const light = document.createElement("i");
  light.className = "light";
  const text = document.createElement("div");
  text.append(textElement("b", device.name), " " + device.word);
  if (device.hint) text.append(textElement("small", device.hint));
  row.append(light, text);
  return row;
}

function repairRow(repair) {
  const row = document.createElement("li");
  row.className = repair.severity;
  row.append(textElement("small", repair.text));
  return row;
}

async function zeroScale() {
  const device = lastState && lastState.weight && lastState.weight.device;
  if (!device) return;
  byId("zero").disabled = true;
  let done = false;
  try {
    const answer = await fetch("/api/v1/devices/" + encodeURIComponent(device) + "/command", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ command: "zero" }),
    });
    done = answer.ok && (await answer.json()).outcome === "done";
  } catch {
    document.body.classList.add("lost");
  }
  byId("zero").disabled = false;
  if (!done) showProblem(words.zero_refused, true);
}

// One sound for all that is new: the gravest. [frequency in Hz, seconds] in a row.
const TONES = {
  success: [[1320, 0.12]],
  warning: [[660, 0.15], [880, 0.15], [660, 0.15]],
  error: [[220, 0.35], [160, 0.45]],
};

function sound(scans) {
  const newest = scans.length ? scans[0].number : 0;
  // A number below the last one: the gateway has started anew and counts from 1.
  const first = soundedNumber < 0;
  const fresh = newest < soundedNumber ? scans : scans.filter((scan) => scan.number > soundedNumber);
  soundedNumber = newest;
  if (first || !fresh.length) return;
  const kind = ["error", "warning", "success"].find((k) => fresh.some((s) => s.signal.kind === k));
  play(TONES[kind]);
}

function play(tones) {
  if (!audio || audio.state !== "running") return;
  let at = audio.currentTime;
  for (const [frequency, seconds] of tones) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.type = "square";
    tone.frequency.value = frequency;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.03;
  }
}

// Browsers let a page sound only after a touch, unless the kiosk was started with autoplay allowed.
function wakeAudio() {
  audio = audio || new AudioContext();
  audio.resume();
  byId("sound").hidden = audio.state === "running";
}

async function send(code) {
  try {
    await fetch("/api/v1/scan", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ code }),
    });
  } catch {
    document.body.classList.add("lost");
    showProblem(words.lost, false);
  }
}

for (const button of document.querySelectorAll("[data-code]")) {
  button.addEventListener("click", () => send(button.dataset.code));
}
byId("zero").addEventListener("click", zeroScale);
byId("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  start();
});
document.addEventListener("pointerdown", wakeAudio);
document.addEventListener("visibilitychange", () => {
  if (document.hidden && events) events.close();
  else if (!document.hidden && words.title) listen();
});
try {
  audio = new AudioContext();
  audio.onstatechange = () => { byId("sound").hidden = audio.state === "running"; };
  byId("sound").hidden = audio.state === "running";
} catch {
  byId("sound").hidden = true;
}
start();
