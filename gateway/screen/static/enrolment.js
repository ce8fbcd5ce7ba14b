// Shows the code of a machine that is no gateway yet; holds nothing but what is being typed.
"use strict";

const byId = (id) => document.getElementById(id);
const REFRESH_MS = 2000;
const LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"; // Of a claim: no I, L, O, U.
const CLAIM_LETTERS = 16;
let language = new URLSearchParams(location.search).get("lang") || localStorage.getItem("language") || "";
let words = {};
let shown = "";

function setText(id, text) {
  if (byId(id).textContent !== text) byId(id).textContent = text;
}

async function refresh() {
  try {
    const answer = await fetch("/api/v1/enrolment" + (language ? "?lang=" + language : ""));
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    if (text !== shown) {
      shown = text;
      show(JSON.parse(text));
    }
  } catch {
    // The program that waits ends where the one that works begins.
    if (shown && JSON.parse(shown).state === "enrolled") location.replace("/");
    notice("bad", words.lost_page || "No connection · 无连接");
  }
}

function notice(tone, text) {
  byId("notice").hidden = !text;
  byId("notice").className = tone;
  setText("notice", text);
}

function show(page) {
  words = page.words;
  language = page.language;
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  document.title = words.title;
  for (const [id, name] of [["title", "title"], ["how", "how"], ["scan-page", "scan_page"], ["fingerprint-title", "fingerprint"],
    ["claim", "claim"], ["type-claim", "type_claim"], ["typing-title", "type_claim"], ["send", "send"], ["cancel", "cancel"],
    ["delete", "delete"], ["again", "again"], ["work", "work"]]) setText(id, words[name]);
  setText("language", language === "zh" ? "English" : "中文");
  byId("work").hidden = !page.has_station;
  byId("work").href = "/?work=1";
  const tone = page.over ? "bad" : page.state === "lost" ? "warn" : "";
  notice(tone, [page.text, page.over ? page.detail : ""].filter(Boolean).join(" "));
  byId("shown").hidden = !page.code;
  byId("over").hidden = !page.over;
  byId("central").hidden = !page.code || !page.has_qr;
  setText("code", page.code);
  setText("fingerprint", page.fingerprint);
  setText("minutes", page.minutes ? words.minutes.replace("{minutes}", page.minutes) : "");
  setText("page", page.page);
  if (page.has_qr && byId("qr").dataset.page !== page.page) {
    byId("qr").dataset.page = page.page;
    byId("qr").src = "/enrolment.svg";
  }
  if (page.state === "enrolled") setTimeout(() => location.replace("/"), REFRESH_MS);
}

async function post(path, body) {
  try {
    return await fetch(path + (language ? "?lang=" + language : ""), {
      method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
    });
  } catch {
    return null;
  }
}

function letters() {
  return byId("typed").value.toUpperCase().replace(/[IL]/g, "1").replace(/O/g, "0").replace(/[^0-9A-HJKMNP-TV-Z]/g, "").slice(0, CLAIM_LETTERS);
}

function write(text) {
  byId("typed").value = (text.match(/.{1,4}/g) || []).join("-");
  byId("send").disabled = text.length !== CLAIM_LETTERS;
}

for (const letter of LETTERS) {
  const key = document.createElement("button");
  key.type = "button";
  key.textContent = letter;
  key.addEventListener("click", () => write(letters() + letter));
  byId("keys").append(key);
}
byId("typed").addEventListener("input", () => write(letters()));
byId("delete").addEventListener("click", () => write(letters().slice(0, -1)));
byId("cancel").addEventListener("click", () => byId("claim-typing").close());
byId("type-claim").addEventListener("click", () => {
  write("");
  setText("typing-said", "");
  byId("claim-typing").showModal();
});
byId("claim-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  const answer = await post("/api/v1/enrolment/claim", { claim: byId("typed").value });
  if (answer && answer.ok) byId("claim-typing").close();
  else setText("typing-said", answer ? await answer.text() : words.lost_page);
  shown = "";
  refresh();
});
byId("again").addEventListener("click", async () => {
  await post("/api/v1/enrolment/code", {});
  shown = "";
  refresh();
});
byId("language").addEventListener("click", () => {
  language = language === "zh" ? "en" : "zh";
  localStorage.setItem("language", language);
  shown = "";
  refresh();
});
refresh();
setInterval(refresh, REFRESH_MS);
