// Shows the gateway's state; holds none of its own but unanswered touches and what was heard last.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const SILENCE_MS = 12000; // The gateway says something every five seconds.
const TASKS = ["CMD-RECEIVE", "CMD-WEIGH", "CMD-PICK", "CMD-SHIP", "CMD-COUNT", "CMD-RETURN"]; // They begin with a document.
const DOCUMENT_PX = 76; // One button for a glove, with its gap.
const ICONS = {
  "CMD-RECEIVE": "in", "CMD-RETURN": "in", "CMD-SHIP": "out", "CMD-PICK": "out", "CMD-PUTAWAY": "move",
  "CMD-MOVE": "move", "CMD-WEIGH": "weigh", "CMD-COUNT": "count", "CMD-PACK": "pack", "CMD-UNPACK": "pack",
  "CMD-INSPECT": "look", "CMD-LOOKUP": "look", "CMD-PRINT-BIN": "label", "CMD-PRINT-PALLET": "label",
  "CMD-RELABEL": "label", "CMD-REPRINT": "label",
  receipt: "in", transfer_in: "in", customer_return: "in", shipment: "out", transfer_out: "out",
  supplier_return: "out", count: "count",
};
const START = { in_menu: false, buttons: [], lines: [], notes: [], times: "", title: "", aim: null, keypad: false };
let language = "";
let events = null;
let soundedNumber = -1;
let lastState = null;
let heardAt = 0;
let documents = { documents: [], count: 0 };
let documentsOf = "";
let firstDocument = 0;
let documentsFor = ""; // The task that documents are listed for, "" in the menu.
const drawn = {};

function setText(id, text) {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

function query(more) {
  return "?station=" + encodeURIComponent(stationCode) + (more || "");
}

// True once for each value that differs from the one before: what stays the same is not drawn again.
function changed(name, value) {
  const text = JSON.stringify(value) + language;
  if (drawn[name] === text) return false;
  drawn[name] = text;
  return true;
}

async function start() {
  // The first words and state come with the page: it is drawn without asking again.
  const boot = JSON.parse(byId("boot").textContent);
  byId("boot").textContent = "null";
  try {
    words = boot ? boot.words : await (await fetch("/api/v1/words" + query())).json();
  } catch {
    showLost(true);
    setTimeout(start, 1000);
    return;
  }
  useWords();
  if (boot) take(boot.state);
  listen();
  deliver();
}

function useWords() {
  language = words.language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = words.title + " " + words.station;
  setText("station", words.title + " " + words.station);
  byId("station").title = words.stations;
  byId("station").classList.toggle("alone", words.several !== "true");
  for (const [id, name] of [["scans-title", "last_scans"], ["passages-title", "passages"], ["settled-title", "settled"], 
    ["claim-link", "claim_devices"], ["weight-title", "weight"], ["zero", "zero"], ["sheet", "sheet"],
    ["keypad-title", "quantity_title"], ["typing-title", "type_code"], ["typing-hint", "type_hint"],
    ["documents-title", "documents"], ["earlier", "earlier"], ["later", "later"], ["clock", "clock"],
    ["lost-title", "lost"], ["lost-detail", "lost_detail"], ["lost-hint", "lost_hint"]]) {
    setText(id, words[name]);
  }
  byId("sheet").href = "/sheet?lang=" + language;
  setText("language", language === "zh" ? "English" : "中文");
  byId("language").lang = language === "zh" ? "en" : "zh-CN";
  drawn.keys = "";
  showSound();
}

function listen() {
  if (events) events.close();
  events = new EventSource("/events" + query());
  events.onmessage = (event) => {
    heard();
    take(JSON.parse(event.data));
  };
  events.addEventListener("beat", heard);
  events.onerror = () => {
    showLost(true);
    if (events.readyState === EventSource.CLOSED) setTimeout(listen, 1000);
  };
}

function heard() {
  heardAt = performance.now();
  showLost(false);
}

async function take(state) {
  if (state.language !== language) {
    words = await (await fetch("/api/v1/words" + query())).json();
    useWords();
  }
  lastState = state;
  show(state);
}

function showLost(lost) {
  if (document.body.classList.contains("lost") === lost) return;
  document.body.classList.toggle("lost", lost);
  byId("lost").hidden = !lost;
  if (lost) closeAll();
  else deliver();
}

function tell(text) {
  showProblem(text, true);
}

function showProblem(text, mild) {
  byId("problem").classList.toggle("mild", mild);
  byId("problem").hidden = !text;
  setText("problem-text", text);
}

function show(state) {
  const step = state.step || START;
  setText("prompt", state.prompt);
  const where = [step.title, step.document, step.place].filter(Boolean).join(" · ");
  const whole = step.document && step.lines_count ? words.nothing_left : "";
  const left = step.lines_left ? words.lines_left.replace("{count}", step.lines_left) : whole;
  const hand = step.in_hand ? words.in_hand.replace("{count}", step.in_hand) : "";
  setText("where", [where, left, hand].filter(Boolean).join(" — "));
  showSignal(state);
  setText("operator", state.operator_name || words.nobody);
  if (changed("problem", [state.problem, state.work_goes_on])) showProblem(state.problem, state.work_goes_on);
  byId("link").className = "link" + (state.connected ? " ok" : "");
  setText("link-text", words.central + ": " + (state.connected ? words.connected : words.not_connected));
  byId("unsent").className = "unsent" + (state.unsent_count ? " some" : "");
  setText("unsent", state.unsent_text);
  byId("clock").hidden = state.clock_synced;
  showKnowledge(state.knowledge);
  if (changed("alarms", state.alarms)) showAlarms(state.alarms);
  showStep(step, state);
  showWeight(state.weight, step.aim);
  showSide(state, step);
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
  const kind = signal ? signal.kind : "idle";
  const long = signal && signal.text.length > 90 ? " long" : "";
  byId("signal").className = "signal " + kind + long;
  byId("signal-icon").setAttribute("href", "#icon-" + kind);
  setText("signal-word", signal ? signal.word : words.waiting);
  setText("signal-text", signal ? signal.text : "");
  const done = signal && signal.text !== state.done ? state.done : "";
  setText("done", done && signal.kind === "error" ? words.before + " " + done : done);
}

function showAlarms(alarms) {
  byId("alarms").hidden = !alarms.length;
  const rows = alarms.map((alarm) => {
    const row = document.createElement("p");
    row.append(icon("error"), textElement("b", alarm.code), textElement("span", alarm.signal.text));
    return row;
  });
  byId("alarms").replaceChildren(...rows, key(words.read_it, () => send("CMD-OK")));
}

function showStep(step, state) {
  byId("times").hidden = !step.times;
  setText("times", step.times ? words.next_times + " × " + step.times : "");
  document.body.classList.toggle("menu", step.in_menu);
  byId("notes").hidden = !step.notes.length;
  // What the answer says already is not said twice.
  const notes = step.notes.filter((note) => !state.signal || note !== state.signal.text);
  if (changed("notes", notes)) byId("notes").replaceChildren(...notes.map((note) => textElement("li", note)));
  byId("goods").hidden = !step.lines.length;
  if (changed("lines", [step.lines, step.lines_count])) showLines(step);
  byId("tiles").hidden = !step.in_menu;
  if (!changed("buttons", [step.buttons, step.in_menu, step.keypad, Boolean(state.step)])) return;
  const shown = state.step ? step.buttons : FALLBACK();
  const buttons = shown.map((one) => commandButton(one, step.in_menu));
  if (step.keypad || !state.step) buttons.push(key("× " + words.quantity, () => openKeypad(), "keys-of-page"));
  buttons.push(key(words.type_code, () => openTyping(), "keys-of-page"));
  byId("tiles").replaceChildren(...(step.in_menu ? buttons : []));
  byId("buttons").replaceChildren(...(step.in_menu ? [] : buttons));
  byId("buttons").classList.toggle("many", buttons.length > 7);
  document.querySelectorAll("#tiles button, #buttons button").forEach((button, index) => {
    if (index < 12) button.dataset.key = "F" + (index + 1);
  });
}

function FALLBACK() {
  return ["confirm", "done", "undo", "cancel"].map((name) =>
    ({ code: "CMD-" + name.toUpperCase(), word: words[name], go: name === "confirm" }));
}

function commandButton(one, isTile) {
  const button = key("", () => send(one.code), one.go ? "go" : "");
  button.dataset.code = one.code;
  if (isTile && ICONS[one.code]) button.append(icon(ICONS[one.code]));
  button.append(textElement("span", one.word));
  if (isTile && one.also) button.append(textElement("small", one.also));
  return button;
}

function showLines(step) {
  const rows = step.lines.map((line) => {
    const row = document.createElement("li");
    const state = line.excess ? " over" : line.expected && line.remaining === "0" ? " full" : "";
    row.className = (line.next ? "next" : "") + state;
    const name = textElement("b", line.name);
    if (line.which) name.append(textElement("small", line.which));
    const bar = document.createElement("i");
    bar.className = "bar";
    if (line.share < 0) bar.className = "";
    else {
      const part = document.createElement("i");
      part.style.width = Math.min(100, line.share / 10) + "%";
      bar.append(part);
    }
    const amount = line.expected ? line.done + " / " + line.expected : line.done;
    const excess = line.excess && words.too_many.replace("{count}", line.excess);
    const left = excess || (line.remaining ? words.left + " " + line.remaining : "");
    row.append(name, textElement("span", line.place), bar, textElement("span", amount + " " + line.unit), textElement("em", left));
    return row;
  });
  const more = step.lines_count - step.lines.length;
  if (more > 0) rows.push(textElement("li", words.more_lines.replace("{count}", more)));
  byId("lines").replaceChildren(...rows);
}

function showWeight(weight, aim) {
  let kind = "none";
  if (weight) kind = weight.problem ? "problem" : weight.stable ? "stable" : "moving";
  byId("weight").className = "weight " + kind;
  setText("weight-value", weight && weight.value ? weight.value : "–");
  byId("weight-line").className = weight && weight.value.length > 7 ? "value long" : "value";
  setText("weight-unit", weight ? weight.unit : "");
  const word = { none: words.no_weight, stable: "✓ " + words.stable, moving: "≈ " + words.moving };
  setText("weight-word", kind === "problem" ? weight.problem : word[kind]);
  byId("aim").hidden = !aim || (aim.at_least < 0 && !aim.tare);
  if (!aim) return;
  byId("aim-scale").hidden = aim.at_least < 0;
  const percent = (mille) => Math.max(0, Math.min(100, mille / 12.5)) + "%";
  byId("aim-band").style.left = percent(aim.at_least);
  byId("aim-band").style.width = percent(aim.at_most - aim.at_least);
  byId("aim-band").hidden = aim.at_least < 0;
  byId("aim-at").hidden = aim.at < 0;
  byId("aim-at").style.left = percent(aim.at);
  byId("aim").className = aim.verdict;
  setText("aim-text", [aim.tare && words.tare + " " + aim.tare, aim.text, words[aim.verdict]].filter(Boolean).join(" · "));
}

function showSide(state, step) {
  const asked = step.lines.length || step.notes.length || step.in_menu;
  // Quiet: while work wants the room it waits.
  byId("settled-box").hidden = !state.settled.length || Boolean(asked && !step.in_menu);
  if (changed("settled", state.settled)) byId("settled").replaceChildren(...state.settled.map((one) => passageRow(one, { hour: "2-digit", minute: "2-digit" })));
  const begins = !step.in_menu && !asked && !step.document && !step.place && TASKS.includes(step.workflow);
  const listed = step.in_menu || begins;
  document.body.classList.toggle("listing", listed);
  byId("documents").hidden = !listed;
  byId("weight").hidden = step.in_menu || !(state.weight || state.devices.some((device) => device.is_scale));
  if (!listed) documentsOf = "";
  else showDocuments(state, step);
  if (listed && changed("fit", [documentsFit(), documentsFor])) drawDocuments();
  const home = byId(asked ? "side" : "work");
  if (byId("history").parentElement !== home) home.append(byId("history"));
  if (changed("scans", state.scans)) byId("scans").replaceChildren(...state.scans.map(scanRow));
  byId("passages-title").hidden = !state.passages.length;
  if (changed("passages", state.passages)) byId("passages").replaceChildren(...state.passages.map((one) => passageRow(one)));
  const scale = state.weight && state.devices.find((device) => device.name === state.weight.device);
  byId("zero").hidden = !(scale && scale.commands.includes("zero"));
  // Beside documents there is room for devices that want something, and for one word about the rest.
  const quiet = listed && state.devices.length && state.devices.every((device) => device.state === "ready");
  setText("devices-title", words.devices + (quiet ? ": " + words.all_ready : ""));
  if (!changed("devices", [state.devices, state.repairs])) return;
  const rows = state.devices.map(deviceRow);
  byId("devices").replaceChildren(...(rows.length ? rows : [textElement("li", words.no_devices)]));
  const names = new Set(state.devices.map((device) => device.name));
  // What is wrong with a device stands beside its light; here is what belongs to none.
  byId("repairs").replaceChildren(...state.repairs.filter((one) => !names.has(one.subject)).map(repairRow));
}

async function showDocuments(state, step) {
  // Each time that they are listed anew: what was begun may be complete. In the menu after an undo.
  documentsFor = step.in_menu ? "" : step.workflow;
  const scanned = step.in_menu && state.scans.length ? state.scans[0].number : "";
  const wanted = [state.catalogue_revision, language, documentsFor, scanned].join(" ");
  if (documentsOf === wanted) return;
  documentsOf = wanted;
  drawn.fit = "";
  try {
    documents = await (await fetch("/api/v1/documents" + query())).json();
  } catch {
    documentsOf = "";
    return;
  }
  drawDocuments();
}

function documentsFit() {
  return Math.max(1, Math.floor((byId("documents").clientHeight - 52) / DOCUMENT_PX));
}

function drawDocuments() {
  const fit = documentsFit();
  const all = documents.documents.filter((one) => !documentsFor || one.begins.includes(documentsFor));
  if (all.length <= fit || firstDocument >= all.length) firstDocument = 0;
  const shown = all.slice(firstDocument, firstDocument + fit);
  const rows = shown.map((one) => {
    const row = document.createElement("li");
    const button = key("", () => send(one.code));
    button.dataset.code = one.code;
    const text = document.createElement("span");
    const complete = one.complete && "✓ " + words.complete;
    button.classList.toggle("complete", one.complete);
    text.append(textElement("b", one.title), textElement("small", [complete, one.word, one.partner].filter(Boolean).join(" · ")));
    button.append(icon(ICONS[one.kind] || "look"), text);
    row.append(button);
    return row;
  });
  byId("documents-list").replaceChildren(...(rows.length ? rows : [textElement("li", words.no_documents)]));
  byId("earlier").hidden = firstDocument === 0;
  byId("later").hidden = firstDocument + fit >= all.length;
}

function turn(pages) {
  firstDocument = Math.max(0, firstDocument + pages * documentsFit());
  drawDocuments();
}

function icon(kind) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  svg.setAttribute("aria-hidden", "true");
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

function passageRow(passage, format) {
  const row = document.createElement("li");
  const time = new Date(passage.time_ms).toLocaleTimeString("en-GB", format);
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
  const answer = await post("/api/v1/devices/" + encodeURIComponent(device) + "/command", { command: "zero" });
  const done = answer && answer.ok && (await answer.json()).outcome === "done";
  byId("zero").disabled = false;
  if (!done) tell(words.zero_refused);
}

function sound(scans) {
  const newest = scans.length ? scans[0].number : 0;
  // A number below the last one: the gateway has started anew and counts from 1.
  const first = soundedNumber < 0;
  const fresh = newest < soundedNumber ? scans : scans.filter((scan) => scan.number > soundedNumber);
  soundedNumber = newest;
  if (first || !fresh.length) return;
  play(GRAVEST.find((kind) => fresh.some((scan) => scan.signal.kind === kind)));
}

byId("zero").addEventListener("click", zeroScale);
byId("earlier").addEventListener("click", () => turn(-1));
byId("later").addEventListener("click", () => turn(1));
byId("language").addEventListener("click", () =>
  post("/api/v1/language", { language: language === "zh" ? "en" : "zh", station: stationCode }));
document.addEventListener("visibilitychange", () => {
  if (document.hidden && events) events.close();
  else if (!document.hidden && words.title) listen();
});
addEventListener("resize", () => lastState && show(lastState));
addEventListener("pagehide", () => events && events.close());
addEventListener("pageshow", (event) => event.persisted && listen());
setInterval(() => {
  // By a clock that never jumps. A gateway that hangs keeps the line open and says nothing.
  if (!document.hidden && heardAt && performance.now() - heardAt > SILENCE_MS) {
    showLost(true);
    heardAt = performance.now();
    listen();
  }
}, 1000);
start();
setTimeout(wakeAudio, 0); // After the first picture: it takes its time.
