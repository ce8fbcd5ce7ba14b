// Touches, typed codes, sound and dialogs of the station page. A touch is kept in the tab until the
// gateway has answered it, and sent again with the same identity: the gateway does it once.
"use strict";

const byId = (id) => document.getElementById(id);
const stationCode = decodeURIComponent((location.pathname.match(/^\/s\/([^/]+)/) || ["", ""])[1]);
const TOUCHES_MAX = 32;
const TOUCH_AGE_MS = 30000; // Later a person has done something else: then it is only asked for.
const OUTBOX = "touches:" + stationCode;
let words = {};
let audio = null;
let sending = false;

function identity() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function outbox() {
  try {
    return JSON.parse(sessionStorage.getItem(OUTBOX)) || [];
  } catch {
    return [];
  }
}

function keep(touches) {
  sessionStorage.setItem(OUTBOX, JSON.stringify(touches.slice(-TOUCHES_MAX)));
  document.body.classList.toggle("sending", touches.length > 0);
}

function send(code) {
  keep([...outbox(), { id: identity(), code, at: Date.now() }]);
  deliver();
}

// One after the other, in order; an answer takes one out. Nothing else does.
async function deliver() {
  if (sending) return;
  sending = true;
  try {
    for (let touch = outbox()[0]; touch; touch = outbox()[0]) {
      const age = Date.now() - touch.at;
      const late = age < 0 || age > TOUCH_AGE_MS;
      const answer = await post("/api/v1/scan", { code: touch.code, id: touch.id, station: stationCode, only_ask: late });
      if (answer === null || answer.status === 202) {
        setTimeout(deliver, answer ? 0 : 1000);
        break;
      }
      const done = answer.ok && (await answer.json()).done;
      keep(outbox().filter((other) => other.id !== touch.id));
      if (!done) tell(answer.status === 503 ? words.busy : words.not_sent.replace("{code}", touch.code));
    }
  } finally {
    sending = false;
  }
}

// The answer, null if there is none: the gateway is away.
async function post(path, body) {
  try {
    return await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(8000),
    });
  } catch {
    return null;
  }
}

// One sound for all that is new: the gravest. [frequency in Hz, seconds] in a row.
const TONES = {
  success: [[1320, 0.12]],
  info: [[740, 0.05]],
  warning: [[660, 0.15], [880, 0.15], [660, 0.15]],
  error: [[220, 0.35], [160, 0.45]],
};
const GRAVEST = ["error", "warning", "success", "info"];

function play(kind) {
  document.body.dataset.sounded = kind;
  if (!audio || audio.state !== "running" || localStorage.getItem("muted")) return;
  sounds(audio, kind);
}

// Into any audio context, from now on.
function sounds(context, kind) {
  let at = context.currentTime;
  for (const [frequency, seconds] of TONES[kind]) {
    const tone = context.createOscillator();
    const volume = context.createGain();
    tone.type = kind === "info" ? "sine" : "square";
    tone.frequency.value = frequency;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.03;
  }
}

// Browsers let a page sound only after a touch, unless the kiosk was started with autoplay allowed.
function wakeAudio() {
  try {
    audio = audio || new AudioContext();
    audio.onstatechange = showSound;
    audio.resume();
  } catch {
    audio = null;
  }
  showSound();
}

function showSound() {
  const muted = Boolean(localStorage.getItem("muted"));
  const awake = audio && audio.state === "running";
  byId("sound").textContent = muted ? words.muted : awake ? words.sound : words.sound_off;
  byId("sound").setAttribute("aria-pressed", String(!muted));
}

function toggleSound() {
  if (localStorage.getItem("muted")) localStorage.removeItem("muted");
  else if (audio && audio.state === "running") localStorage.setItem("muted", "yes");
  wakeAudio();
}

// Dialogs. The back button closes one; it leaves nothing half done, for the step is the gateway's.
function openDialog(id) {
  if (byId(id).open) return;
  if (changed("keys", "")) {
    drawKeypad();
    drawKeyboard();
  }
  byId(id).showModal();
  history.pushState({ dialog: id }, "");
}

function closeDialog(id) {
  if (history.state && history.state.dialog === id) history.back();
  else byId(id).close();
}

function closeAll() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}

function key(text, press, name) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = text;
  if (name) button.className = name;
  button.addEventListener("click", press);
  return button;
}

function setQuantity(text) {
  const dots = text.split(".").length - 1;
  if (dots < 2 && text.length <= 9) byId("keypad-value").textContent = text;
}

function drawKeypad() {
  const value = () => byId("keypad-value").textContent;
  const keys = ["7", "8", "9", "4", "5", "6", "1", "2", "3", "0", "."].map((digit) =>
    key(digit, () => setQuantity(value() + digit)));
  keys.push(key("⌫", () => setQuantity(value().slice(0, -1)), "delete"));
  keys[11].setAttribute("aria-label", words.delete);
  keys.push(key(words.close, () => closeDialog("keypad"), "wide"));
  keys.push(key(words.send, sendQuantity, "wide go"));
  byId("keypad-keys").replaceChildren(...keys);
}

function sendQuantity() {
  const text = byId("keypad-value").textContent;
  if (!(Number(text) > 0)) return;
  send("CMD-QTY-" + text.replace(/\.$/, ""));
  closeDialog("keypad");
}

function openKeypad(first) {
  setQuantity("");
  setQuantity(first || "");
  openDialog("keypad");
}

const ROWS = ["1234567890", "QWERTYUIOP", "ASDFGHJKL-", "ZXCVBNM./_"];
let small = false;

function drawKeyboard() {
  const value = byId("typing-value");
  const add = (text) => { value.value = (value.value + text).slice(0, value.maxLength); };
  const keys = [];
  for (const row of ROWS) {
    for (const letter of row) {
      const text = small ? letter.toLowerCase() : letter;
      keys.push(key(text, () => add(text)));
    }
  }
  for (const prefix of ["LOC-", "DOC-", "OPR-"]) keys.push(key(prefix, () => { value.value = prefix; }, "prefix"));
  for (const bracket of "()") keys.push(key(bracket, () => add(bracket))); // As printed: (01)...(10)...
  keys.push(key("a/A", () => { small = !small; drawKeyboard(); }, "half"));
  const erase = key("⌫", () => { value.value = value.value.slice(0, -1); });
  erase.setAttribute("aria-label", words.delete);
  keys.push(erase);
  keys.push(key(words.close, () => closeDialog("typing"), "wide"));
  const go = key(words.send, () => {}, "wide go");
  go.type = "submit";
  keys.push(go);
  byId("typing-keys").replaceChildren(...keys);
}

function openTyping(first) {
  byId("typing-value").value = first || "";
  openDialog("typing");
  byId("typing-value").focus();
}

byId("typing-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const code = byId("typing-value").value.trim();
  if (code) send(code);
  closeDialog("typing");
});
addEventListener("popstate", closeAll);
for (const id of ["keypad", "typing"]) {
  byId(id).addEventListener("cancel", (event) => { event.preventDefault(); closeDialog(id); });
}
// Without touch: F1 ... are the buttons in their order; typing begins a code, digits a quantity.
document.addEventListener("keydown", (event) => {
  document.body.classList.add("keys");
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (byId("keypad").open) {
    if (/^[0-9.]$/.test(event.key)) setQuantity(byId("keypad-value").textContent + event.key);
    else if (event.key === "Backspace") setQuantity(byId("keypad-value").textContent.slice(0, -1));
    else if (event.key === "Enter" && event.target.tagName !== "BUTTON") sendQuantity();
    return;
  }
  if (byId("typing").open) return;
  const place = /^F([0-9]+)$/.exec(event.key);
  const button = place && document.querySelectorAll("#tiles:not([hidden]) button, #buttons button")[place[1] - 1];
  if (button) {
    event.preventDefault();
    button.click();
  } else if (event.key.length === 1 && event.key !== " ") {
    event.preventDefault();
    openTyping(event.key);
  }
});
byId("sound").addEventListener("click", toggleSound);
document.addEventListener("pointerdown", (event) => { if (event.target.id !== "sound") wakeAudio(); });
