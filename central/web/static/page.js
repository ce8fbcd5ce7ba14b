// Keeps the stock page current: one event stream, closed while the tab is hidden.
"use strict";
(() => {
  const FEED_ROWS_MAX = 30, FLASH_MS = 1500, TYPING_MS = 200, AGAIN_MS = 5000, REFETCH_MS = 3000;
  const byId = (id) => document.getElementById(id), body = document.body;
  const table = byId("table"), feed = byId("feed"), filter = byId("filter"), lost = byId("lost");
  const live = byId("live"), page = byId("stock"), words = shell.words, localTimes = shell.localTimes;
  // Whoever works in some warehouses sees one of them at a time; its address names it.
  const within = page.dataset.within && "&warehouse=" + encodeURIComponent(page.dataset.within);
  let since = Number(page.dataset.since), source = null, again = 0, refetch = 0, asked = 0;
  let url = location.pathname + location.search, rows = new Map();

  function indexRows() {
    rows = new Map([...table.querySelectorAll("tr[data-key]")].map((row) => [row.dataset.key, row]));
  }

  async function fragment(address, target) {
    const place = new URL(address, location.href);
    place.searchParams.set("lang", body.dataset.language);
    try {
      const answer = await fetch(place);
      if (!answer.ok) throw new Error(answer.status);
      const text = await answer.text();
      return target ? (target.innerHTML = text, localTimes(target), text) : text;
    } catch {
      if (target) target.textContent = words.failed;
      return null;
    }
  }

  async function showTable(address, remember) {
    const number = ++asked;
    const text = await fragment("/fragments/stock" + new URL(address, location.href).search);
    if (text === null || number !== asked) return;  // A later question has been asked since.
    const open = [...rows].filter(([, row]) => isOpen(row)).map(([key]) => key);
    url = address;
    past(new URL(address, location.href).searchParams.get("as_of"));
    if (remember) history.replaceState(null, "", address);
    const focused = table.contains(document.activeElement) && document.activeElement.closest("tr[data-key]");
    table.innerHTML = text;
    const drawn = table.querySelector(".scroll");
    byId("export").href = drawn.dataset.export;
    filter.elements.sort.value = drawn.dataset.sort;
    indexRows();
    if (focused && rows.has(focused.dataset.key)) rows.get(focused.dataset.key).querySelector("button").focus();
    for (const key of open) if (rows.has(key)) toggle(rows.get(key));
  }

  const isOpen = (row) => row.querySelector("button").getAttribute("aria-expanded") === "true";

  function toggle(row) {
    const button = row.querySelector("button");
    if (isOpen(row)) {
      row.nextElementSibling.remove();
      button.setAttribute("aria-expanded", "false");
      return;
    }
    const cell = document.createElement("td"), detail = document.createElement("tr");
    cell.colSpan = row.cells.length;
    detail.className = "detail";
    detail.append(cell);
    row.after(detail);
    button.setAttribute("aria-expanded", "true");
    fragment(button.dataset.src, cell);
  }

  // Of an earlier moment nothing changes: the table rests, the movements go on.
  function past(moment) {
    page.dataset.past = moment || "";
  }

  function step(by) {
    const all = [...rows.values()], at = all.indexOf(document.activeElement.closest("tr[data-key]"));
    const row = all[Math.min(Math.max(at + by, 0), all.length - 1)];
    if (row) row.querySelector("button").focus();
  }

  function showCells(changed) {
    if (page.dataset.past) return;
    const items = [...rows.values()].map((row) => row.dataset.item);
    const last = !table.querySelector("a[rel=next]") && !filter.elements.group.value && !filter.elements.sort.value;
    for (const [key, item, cells] of changed) {
      const row = rows.get(key);
      if (!row) {  // Belongs on this page, yet is not there: a new item, or one that now matches.
        if (last || (item >= items[0] && item <= items[items.length - 1])) refetchSoon();
        continue;
      }
      for (const [column, text] of cells) {
        const cell = row.querySelector(`[data-column="${CSS.escape(column)}"]`);
        if (!cell) { refetchSoon(); continue; }
        if (cell.textContent === text) continue;
        cell.textContent = text;
        cell.classList.toggle("minus", text.startsWith("-"));
        cell.classList.toggle("zero", text === "0");
        cell.classList.add("changed");
        setTimeout(() => cell.classList.remove("changed"), FLASH_MS);
      }
      if (isOpen(row)) fragment(row.querySelector("button").dataset.src, row.nextElementSibling.cells[0]);
    }
  }

  function refetchSoon() {
    refetch = refetch || setTimeout(() => { refetch = 0; showTable(url, false); }, REFETCH_MS);
  }

  function showFeed(html, whole) {
    const part = document.createElement("template");
    part.innerHTML = html;
    localTimes(part.content);
    if (whole) feed.replaceChildren();
    const known = new Map([...feed.children].map((row) => [row.dataset.no, row]));
    const fresh = [];
    for (const row of part.content.querySelectorAll("li[data-no]")) {
      const shown = known.get(row.dataset.no);
      if (!shown) fresh.push(row);  // One that is shown may have got another time; leave open ones.
      else if (!shown.querySelector("details").open && shown.innerHTML !== row.innerHTML) shown.replaceWith(row);
    }
    feed.prepend(...fresh);
    while (feed.children.length > FEED_ROWS_MAX) feed.lastElementChild.remove();
  }

  function show(event) {
    const news = JSON.parse(event.data);
    since = Number(event.lastEventId);
    showFeed(news.feed, news.whole);
    byId("gateways").innerHTML = news.gateways;
    localTimes(byId("gateways"));
    byId("discrepancies-count").innerHTML = news.discrepancies;
    byId("discrepancies-count").className = "pill " + (news.discrepancies_open ? "warn" : "good");
    if (news.whole && !page.dataset.past) showTable(url, false); else showCells(news.rows);
  }

  function connected(yes) {
    lost.textContent = yes ? "" : words.lost;
    live.textContent = yes ? words.live : words.waiting;
    live.className = "pill " + (yes ? "good" : "quiet");
    body.classList.toggle("stale", !yes);
  }

  function connect() {
    clearTimeout(again);
    if (source) source.close();
    const stream = shell.watched(new EventSource(`/live?lang=${body.dataset.language}&since=${since}${within}`), () => {
      if (stream !== source) return;
      connected(false);
      connect();
    });
    source = stream;
    source.onopen = () => connected(true);
    source.onmessage = show;
    source.onerror = () => {
      connected(false);
      if (source && source.readyState === EventSource.CLOSED) again = setTimeout(connect, AGAIN_MS);
    };
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) return connect();
    clearTimeout(again);  // Browsers allow six connections a host: hidden tabs give theirs back.
    if (source) source.close();
    source = null;
  });
  addEventListener("pagehide", () => source && source.close());
  addEventListener("pageshow", (event) => event.persisted && connect());

  const wanted = () => {
    const values = new URLSearchParams([...new FormData(filter)].filter(([, value]) => value));
    return "/" + (values.size ? "?" + values : "");
  };
  let typing = 0;
  filter.addEventListener("input", (event) => {
    if (event.target.closest(".views")) return;
    clearTimeout(typing);
    if (within && event.target.name === "warehouse") return void location.assign(wanted());
    typing = setTimeout(() => showTable(wanted(), true), TYPING_MS);
  });
  filter.addEventListener("submit", (event) => { event.preventDefault(); showTable(wanted(), true); });
  table.addEventListener("click", (event) => {
    const link = event.target.closest(".pager a, a[data-sort]"), button = event.target.closest("tbody button");
    if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); showTable(link.getAttribute("href"), true); }
    if (button) toggle(button.closest("tr"));
  });
  document.addEventListener("toggle", (event) => {
    if (event.target.open && event.target.dataset.src) fragment(event.target.dataset.src, event.target.querySelector(".evidence"));
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
    const within = table.contains(event.target);
    if (event.key === "j" || (within && event.key === "ArrowDown")) { event.preventDefault(); step(1); }
    else if (event.key === "k" || (within && event.key === "ArrowUp")) { event.preventDefault(); step(-1); }
    else if (within && event.key === "i" && event.target.dataset.href) location.href = event.target.dataset.href;
    else if (event.key === "f") { event.preventDefault(); filter.querySelector("details.fold").open = true; filter.elements.q.focus(); }
    else if (event.key === "n" || event.key === "p") { const link = table.querySelector(`.pager a[rel=${event.key === "n" ? "next" : "prev"}]`); if (link) link.click(); }
  });

  live.hidden = false;
  indexRows();
  if (!document.hidden) connect();
})();
