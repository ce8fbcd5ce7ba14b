// Reads bar codes with the camera: the browser's own reader, else zxing-wasm from this server.
"use strict";
(() => {
  const LOOK_MS = 120, WIDTH_MAX = 1280, SAME_MS = 2000;
  const FORMATS = ["code_128", "code_39", "ean_13", "ean_8", "upc_a", "upc_e", "itf", "qr_code", "data_matrix"];
  const READER = { formats: ["Code128", "Code39", "EAN13", "EAN8", "UPCA", "UPCE", "ITF", "QRCode", "DataMatrix"],
    tryHarder: true, maxNumberOfSymbols: 1, textMode: "Plain" };
  const box = document.querySelector("[data-camera]");
  if (!box) return;
  const words = JSON.parse(box.querySelector("script").textContent);
  const said = box.querySelector("[role=status]"), view = box.querySelector("dialog");
  const video = view.querySelector("video"), canvas = document.createElement("canvas");
  let stream = null, read = null, timer = 0, last = "", lastAt = 0, field = null;

  const say = (name) => { said.textContent = name ? words[name] || name : ""; };

  function script(address) {
    return new Promise((done, failed) => {
      const node = document.createElement("script");
      node.src = address;
      node.onload = done;
      node.onerror = failed;
      document.head.append(node);
    });
  }

  // Returns what finds a bar code in a picture: its text, or "".
  async function reader() {
    if ("BarcodeDetector" in window) {
      const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
      const formats = FORMATS.filter((one) => known.includes(one));
      if (formats.includes("code_128")) {
        const detector = new BarcodeDetector({ formats });
        return async () => (await detector.detect(canvas))[0]?.rawValue || "";
      }
    }
    await script(box.dataset.reader);
    await ZXingWASM.prepareZXingModule({
      overrides: { locateFile: () => box.dataset.wasm }, fireImmediately: true });
    return async () => {
      const picture = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return (await ZXingWASM.readBarcodes(picture, READER))[0]?.text || "";
    };
  }

  function fault(error) {
    const names = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "none",
      OverconstrainedError: "none", NotReadableError: "taken", AbortError: "taken" };
    return names[error.name] || "failed";
  }

  async function open() {
    say("");
    if (!window.isSecureContext) return say("insecure");
    if (!navigator.mediaDevices?.getUserMedia) return say("none");
    try {
      stream = await navigator.mediaDevices.getUserMedia({ audio: false,
        video: { facingMode: { ideal: "environment" }, width: { ideal: WIDTH_MAX } } });
    } catch (error) {
      return say(fault(error));
    }
    view.showModal();
    video.srcObject = stream;
    try {
      await video.play();
      read = read || await reader();
    } catch {
      close();
      return say("failed");
    }
    look();
  }

  function close() {
    clearTimeout(timer);
    for (const track of stream?.getTracks() || []) track.stop();
    stream = video.srcObject = null;
    if (view.open) view.close();
  }

  async function look() {
    if (!stream) return;
    if (video.videoWidth) {
      const share = Math.min(1, WIDTH_MAX / video.videoWidth);
      canvas.width = Math.round(video.videoWidth * share);
      canvas.height = Math.round(video.videoHeight * share);
      canvas.getContext("2d", { willReadFrequently: true })
        .drawImage(video, 0, 0, canvas.width, canvas.height);
      const text = await read().catch(() => "");
      if (text && stream && (text !== last || performance.now() - lastAt > SAME_MS)) {
        [last, lastAt] = [text, performance.now()];
        navigator.vibrate?.(60);
        if (await take(text)) return;
      }
    }
    timer = setTimeout(look, LOOK_MS);
  }

  // Does what the page is for with a text; returns whether that was all.
  async function take(text) {
    close();
    if (box.dataset.camera === "search") {
      const form = document.querySelector("form.look");
      form.elements.q.value = text;
      form.requestSubmit();
      return true;
    }
    await fill(text);
    return true;
  }

  // Fills in a line of a count: a place, or the item and the lot that a bar code means.
  async function fill(text) {
    const rows = [...document.querySelectorAll("details[open] [data-row], [data-row]")];
    const row = field?.closest("[data-row]") || rows.find((one) => !value(one, "item")) || rows[0];
    if (!row) return say("nowhere");
    const place = text.startsWith("LOC-") ? text.slice(4) : "";
    const found = place ? { location: place } : await meant(text);
    for (const [name, said_] of Object.entries(found)) put(row, name, said_);
    (row.querySelector('[data-name="quantity"]') || row.querySelector("input")).focus();
    say(`${words.read} ${text}`);
  }

  async function meant(text) {
    const answer = await fetch(`/search?q=${encodeURIComponent(text)}`, { headers: { Accept: "text/html" } })
      .catch(() => null);
    const place = answer ? new URL(answer.url) : null;
    if (!place?.pathname.startsWith("/items/")) return { item: text };
    const lot = place.searchParams.get("lot");
    return { item: decodeURIComponent(place.pathname.slice(7)), ...(lot ? { lot } : {}) };
  }

  const value = (row, name) => row.querySelector(`[data-name="${name}"]`)?.value || "";

  function put(row, name, text) {
    const input = row.querySelector(`input[data-name="${name}"]:not([type=hidden])`);
    if (!input) return;
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-row] input")) field = event.target;
  });
  box.querySelector("button").addEventListener("click", open);
  view.querySelector("button").addEventListener("click", close);
  view.addEventListener("close", close);
  addEventListener("pagehide", close);
  box.hidden = false;
  if (new URLSearchParams(location.search).has("camera")) open();
})();
