// Every page: local times, what changed elsewhere, the keyboard, words for the other scripts.
"use strict";
const shell = (() => {
  const AGAIN_MS = 5000, APART_MS = 1000, TOLD_MS = 6000, SILENT_MS = 40000;
  const body = document.body, byId = (id) => document.getElementById(id);
  const words = JSON.parse(byId("words").textContent);
  const language = body.dataset.language, tag = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(tag, { timeStyle: "short", hour12: false });
  const written = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hour12: false };
  const thisYear = new Intl.DateTimeFormat(tag, written);
  const calendar = new Intl.DateTimeFormat(tag, { year: "numeric", ...written });
  const csrf = { "Dockledger-Csrf": body.dataset.csrf || "" };  // With whatever changes something.
  const watchers = [];
  let mark = body.dataset.mark, source = null, again = 0, waiting = 0, last = 0, stale = new Set();

  function localTimes(root) {
    const now = new Date(), today = now.toDateString();
    for (const node of root.querySelectorAll("time:not([title])")) {
      const moment = new Date(node.dateTime);
      node.title = node.textContent;
      const near = moment.getFullYear() === now.getFullYear() ? thisYear : calendar;
      node.textContent = (moment.toDateString() === today ? clock : near).format(moment);
    }
  }

  // Fetches a piece of HTML in the reader's language; null if it cannot be had.
  async function piece(address) {
    const place = new URL(address, location.href);
    place.searchParams.set("lang", language);
    try {
      const answer = await fetch(place, { headers: { "Accept": "text/html" } });
      return answer.ok ? await answer.text() : null;
    } catch {
      return null;
    }
  }

  const busy = (node) => node.contains(document.activeElement)
    && document.activeElement.matches("input, select, textarea");
  const dirty = (node) => [...node.querySelectorAll("form.api")].some((form) => form.dataset.dirty);

  // Draws the page's parts anew, but none in which somebody types.
  async function refresh() {
    for (const watcher of watchers) watcher();
    const parts = [...document.querySelectorAll("[data-part]")];
    if (!parts.length) return;
    const text = await piece(location.pathname + location.search);
    if (text === null) return;
    const page = new DOMParser().parseFromString(text, "text/html");
    for (const part of parts) {
      const fresh = page.querySelector(`[data-part="${CSS.escape(part.dataset.part)}"]`);
      if (!fresh || busy(part) || dirty(part) || part.querySelector("dialog[open]")) continue;
      localTimes(fresh);
      if (fresh.innerHTML === part.innerHTML) continue;
      const open = new Set([...part.querySelectorAll("details[open][id]")].map((one) => one.id));
      const focused = part.contains(document.activeElement) ? document.activeElement.id : "";
      part.replaceChildren(...fresh.childNodes);
      for (const one of part.querySelectorAll("details[id]")) one.open = open.has(one.id);
      if (focused && byId(focused)) byId(focused).focus();
      part.dispatchEvent(new CustomEvent("drawn", { bubbles: true }));
    }
  }

  function refreshSoon() {
    if (waiting) return;
    const wait = Math.max(0, last + APART_MS - performance.now());
    waiting = setTimeout(() => { waiting = 0; last = performance.now(); refresh(); }, wait);
  }

  function heard(event) {
    const news = JSON.parse(event.data);
    if (news.mark === mark) return;
    mark = news.mark;
    const kinds = body.dataset.live.split(" ");
    if (news.whole || news.kinds.some((kind) => kinds.includes(kind))) refreshSoon();
  }

  function connected(yes) {
    const lost = byId("lost"), live = byId("live");
    if (lost.textContent !== (yes ? "" : words.lost)) lost.textContent = yes ? "" : words.lost;
    live.textContent = yes ? words.live : words.waiting;
    live.className = "pill " + (yes ? "good" : "quiet");
    body.classList.toggle("stale", !yes);
  }

  // The server says every 15 s that it is there: a connection that says nothing is dead, though
  // the browser may not know. `lost` is called then. Clocks that are set do not matter to timers.
  function watched(stream, lost) {
    let silent = 0;
    const alive = () => { clearTimeout(silent); if (stream.readyState !== EventSource.CLOSED) silent = setTimeout(lost, SILENT_MS); };
    for (const sign of ["open", "message", "still"]) stream.addEventListener(sign, alive);
    alive();
    return stream;
  }

  function connect() {
    clearTimeout(again);
    if (source) source.close();
    const stream = watched(new EventSource(`/changes?lang=${language}`), () => {
      if (stream !== source) return;
      connected(false);
      connect();
    });
    source = stream;
    source.onopen = () => connected(true);
    source.onmessage = heard;
    source.onerror = () => {
      connected(false);
      if (source && source.readyState === EventSource.CLOSED) again = setTimeout(connect, AGAIN_MS);
    };
  }

  function tell(text, tone) {
    const told = byId("told");
    told.textContent = text;
    told.className = "told " + tone;
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => { told.textContent = ""; told.className = "told"; }, TOLD_MS);
  }

  // Asks before something that cannot be taken back; resolves to true for yes.
  function sure(question) {
    const dialog = byId("sure");
    dialog.querySelector("p").textContent = question;
    const [yes, no] = dialog.querySelectorAll("button");
    yes.textContent = words.yes;
    no.textContent = words.no;
    dialog.returnValue = "no";
    dialog.showModal();
    return new Promise((answer) => dialog.addEventListener("close",
      () => answer(dialog.returnValue === "yes"), { once: true }));
  }

  if (body.dataset.live) {
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) return connect();
      clearTimeout(again);  // Browsers allow six connections a host: hidden tabs give theirs back.
      if (source) source.close();
      source = null;
    });
    addEventListener("pagehide", () => source && source.close());
    addEventListener("pageshow", (event) => event.persisted && connect());
    if (!document.hidden) connect();
  } else {
    byId("live").hidden = true;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (event.key === "/") { event.preventDefault(); byId("find").focus(); }
    if (event.key === "?") { const guide = document.querySelector(".guide"); if (guide) guide.open = !guide.open; }
    if (event.key === "Escape") for (const one of document.querySelectorAll("details.guide[open], details.menu-button[open]")) one.open = false;
  });
  const button = document.querySelector(".menu-button");
  button.addEventListener("toggle", () => byId("menu").classList.toggle("shown", button.open));

  localTimes(document);
  return { words, language, localTimes, piece, refreshSoon, tell, sure, busy, csrf, watched, watch: (watcher) => watchers.push(watcher) };
})();
