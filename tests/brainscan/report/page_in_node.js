"use strict";
// Runs a page's own script in Node, on stand-ins for what a browser gives: PAGE.html, a JSON list of keys to press, and
// "samples" to be told them. Prints what became of it as JSON: errors, texts, rows, a digest of the EEG that was drawn
// after each key, what was saved, and the samples (as base64 of 64-bit floats; as numbers they would take seconds).
const crypto = require("crypto");
const fs = require("fs");
const vm = require("vm");

const [page, keysText, wanted] = process.argv.slice(2);
const html = fs.readFileSync(page, "utf8");
const keys = JSON.parse(keysText || "[]");
const dataText = html.match(/<script type="application\/json" id="page-data">(.*?)<\/script>/s)[1];
const script = html.match(/<script>(.*?)<\/script>\s*<\/body>/s)[1];
const ids = new Set([...html.matchAll(/\bid="([\w-]+)"/g)].map((m) => m[1]));

const saved = [], network = [], store = new Map();
let strokes = [];

function context(canvas) {
  return new Proxy({}, {
    get: (held, name) => name === "createImageData" ? (w, h) => ({ data: new Uint8ClampedArray(w * h * 4) }) : name === "measureText" ? (text) => ({ width: 6 * String(text).length }) : (name in held ? held[name] : (...a) => { if (canvas.id === "eeg") strokes.push([canvas.id, String(name), ...a.map((v) => (typeof v === "number" ? Math.round(v * 100) / 100 : String(v)))].join(" ")); }),
    set: (held, name, value) => { held[name] = value; return true; },
  });
}

class Element {
  constructor(tag, id) { Object.assign(this, { tagName: tag.toUpperCase(), id: id || "", children: [], listeners: {}, dataset: {}, attributes: {}, style: {}, value: "", className: "", open: false, checked: true, clientWidth: 900, text: "" }); }
  get textContent() { return this.text + this.children.map((c) => (typeof c === "string" ? c : c.textContent)).join(""); }
  set textContent(v) { this.text = String(v); this.children = []; }
  set innerHTML(v) { throw new Error("innerHTML is set"); }
  append(...c) { this.children.push(...c); c.forEach((e) => { if (e && e.remove) e.parent = this; }); }
  replaceChildren(...c) { this.children = c; }
  remove() { if (this.parent) this.parent.children = this.parent.children.filter((c) => c !== this); }
  addEventListener(name, f) { (this.listeners[name] = this.listeners[name] || []).push(f); }
  setAttribute(k, v) { this.attributes[k] = v; }
  getContext() { return context(this); }
  toDataURL() { return "data:image/png;base64,AAAA"; }
  focus() {} showModal() { this.open = true; }
  click() { if (this.download) saved.push({ name: this.download, blob: this.href }); }
  all() { return this.children.filter((c) => c instanceof Element).flatMap((c) => [c, ...c.all()]); }
  querySelector(selector) { return this.all().find((e) => e.className === selector.slice(1)) || null; }
  get classList() { return { toggle: (name, on) => { this.attributes["class " + name] = on; } }; }
  closest() { return null; }
}

const elements = new Map([...ids].map((id) => [id, new Element(/^(eeg|night|topography|spectrogram)$/.test(id) ? "canvas" : "div", id)]));
const body = new Element("tbody");
for (const [, i] of html.matchAll(/<tr data-event="(\d+)">/g)) {
  const tr = new Element("tr");
  tr.dataset.event = i;
  for (const name of ["accept", "reject", "seconds", "elapsed"]) { const e = new Element("td"); e.className = name; tr.append(e); }
  body.append(tr);
}
elements.get("page-data").text = dataText;
const windowListeners = {}, documentElement = new Element("html");
const document = {
  documentElement, body: new Element("body"), listeners: {},
  getElementById: (id) => elements.get(id) || null,
  createElement: (tag) => new Element(tag),
  querySelector: () => body,
  querySelectorAll: () => body.children,
  addEventListener(name, f) { this.listeners[name] = f; },
};
const refuse = (what) => () => { network.push(what); throw new Error("network: " + what); };
const window = {
  innerWidth: 1200, devicePixelRatio: 1, document,
  addEventListener: (name, f) => { windowListeners[name] = f; },
  matchMedia: () => ({ addEventListener() {} }), print() {},
};
const sandbox = {
  window, document, console, atob, Blob, Response, DecompressionStream, Uint8Array, setTimeout,
  localStorage: { getItem: (k) => store.get(k) || null, setItem: (k, v) => store.set(k, v) },
  getComputedStyle: () => ({ getPropertyValue: () => "#000000" }),
  URL: { createObjectURL: (blob) => blob },
  fetch: refuse("fetch"), XMLHttpRequest: refuse("XMLHttpRequest"), WebSocket: refuse("WebSocket"), EventSource: refuse("EventSource"),
};
const errors = [], steps = [];
process.on("unhandledRejection", (e) => errors.push(String(e && e.stack)));

(async () => {
  // As a function: looking names up in another context is slow.
  new vm.Script("(function (" + Object.keys(sandbox).join(", ") + ") {" + script + "\n})").runInThisContext()(...Object.values(sandbox));
  for (let i = 0; i < 400 && documentElement.dataset.ready !== "yes"; i++) await new Promise((f) => setTimeout(f, 10));
  const api = window.brainscanPage;
  const pressed = (key) => {
    strokes = [];
    const shiftKey = key.startsWith("shift+");
    try { document.listeners.keydown({ key: key.replace("shift+", ""), shiftKey, target: documentElement, preventDefault() {} }); } catch (e) { errors.push(String(e.stack)); }
    steps.push({ key, state: { ...api.state }, drawn: crypto.createHash("sha256").update(strokes.join("\n")).digest("hex"), where: elements.get("where").textContent, help: elements.get("keys").open });
    elements.get("keys").open = false;
  };
  keys.forEach((key) => pressed(key));
  if (windowListeners.beforeprint) windowListeners.beforeprint();
  const out = {
    ready: documentElement.dataset.ready === "yes", errors, network, steps, review: api.review(),
    samples: (wanted === "samples" ? api.decoded : []).map((rows) => rows.map((row) => Buffer.from(Float64Array.from(row).buffer).toString("base64"))),
    excerpts: api.data().excerpts.map((e) => ({ start_s: e.start_s, rate_hz: e.rate_hz, n: e.n, step: e.step })),
    paper: elements.get("paper").children.map((f) => f.children[0].textContent),
    rows: body.children.map((tr) => tr.textContent),
    saved: await Promise.all(saved.map(async (s) => ({ name: s.name, text: await s.blob.text() }))),
  };
  process.stdout.write(JSON.stringify(out));
})();
