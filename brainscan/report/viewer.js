"use strict";
// The page's own script: unpacks the EEG inside the page, filters it, derives montages, draws it, and keeps a review.
// Nothing here makes markup of text: whatever names and notes hold is set as text.
(function () {
  const ABSENT = -32768, SECONDS = 10, PX_PER_MM = 96 / 25.4, TICKS = 1e4;
  const SENSITIVITIES = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100];
  const HIGH = [0, 0.3, 0.5, 1, 1.6, 5], LOW = [0, 15, 30, 35, 50, 70], NOTCH = [0, 50, 60];
  const BARS_UV = [5, 10, 20, 50, 100, 200, 500, 1000];
  const HEADER = "channel,start_time,stop_time,label,confidence";

  // ---- samples ------------------------------------------------------------------------------------------------

  async function inflate(text) {
    const packed = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  // Low bytes, then high bytes, of differences modulo 65536, channel after channel.
  function unpack(bytes, nChannels, n) {
    const total = nChannels * n, rows = [];
    for (let c = 0; c < nChannels; c++) {
      const row = new Int16Array(n);
      let value = 0;
      for (let i = 0; i < n; i++) {
        const k = c * n + i;
        value = (value + (bytes[k] | (bytes[total + k] << 8))) & 0xffff;
        row[i] = value;
      }
      rows.push(row);
    }
    return rows;
  }

  function toMicrovolts(row, step, offset) {
    const uv = new Float32Array(row.length);
    for (let i = 0; i < row.length; i++) uv[i] = row[i] === ABSENT ? NaN : offset + step * row[i];
    return uv;
  }

  // ---- filters ------------------------------------------------------------------------------------------------

  // Second-order sections (bilinear transform, Butterworth's Q); run forth and back, so that nothing moves in time.
  function section(kind, hz, rate) {
    const w = 2 * Math.PI * Math.min(hz, 0.45 * rate) / rate, c = Math.cos(w);
    const alpha = Math.sin(w) / (2 * (kind === "notch" ? 10 : Math.SQRT1_2)), a0 = 1 + alpha;
    const b = kind === "high" ? [(1 + c) / 2, -(1 + c), (1 + c) / 2]
      : kind === "low" ? [(1 - c) / 2, 1 - c, (1 - c) / 2] : [1, -2 * c, 1];
    return [b[0] / a0, b[1] / a0, b[2] / a0, -2 * c / a0, (1 - alpha) / a0];
  }

  function pass(x, first, stop, s, back) {
    const gain = (s[0] + s[1] + s[2]) / (1 + s[3] + s[4]), at = (i) => (back ? stop - 1 - (i - first) : i);
    const start = x[at(first)];
    // The state that a constant of the first value would have left.
    let y = gain * start, z1 = y - s[0] * start, z2 = s[2] * start - s[4] * y;
    for (let i = first; i < stop; i++) {
      const v = x[at(i)];
      y = s[0] * v + z1;
      z1 = s[1] * v - s[3] * y + z2;
      z2 = s[2] * v - s[4] * y;
      x[at(i)] = y;
    }
  }

  // Every stretch without a gap for itself.
  function filtered(uv, rate, high, low, notch) {
    const x = new Float64Array(uv), sections = [];
    if (high) sections.push(section("high", high, rate));
    if (low && low < 0.45 * rate) sections.push(section("low", low, rate));
    if (notch && notch < 0.45 * rate) sections.push(section("notch", notch, rate));
    for (let i = 0; i < x.length; i++) {
      if (Number.isNaN(x[i])) continue;
      let stop = i;
      while (stop < x.length && !Number.isNaN(x[stop])) stop++;
      if (!high) {
        let sum = 0;
        for (let k = i; k < stop; k++) sum += x[k];
        for (let k = i; k < stop; k++) x[k] -= sum / (stop - i);
      }
      for (const s of sections) { pass(x, i, stop, s, false); pass(x, i, stop, s, true); }
      i = stop;
    }
    return x;
  }

  // ---- montages -----------------------------------------------------------------------------------------------

  // Rows of a montage: a name, weights of the channels that were recorded, side of the head, whether to trust it less,
  // and how many rows below the first it lies: chains, sides and what is no EEG stand apart by half a row.
  function montageRows(kind, data, excerpt) {
    const unit = (i) => { const w = []; w[i] = 1; return w; }, lost = new Set(excerpt.interpolated);
    const names = data.electrodes, rows = [];
    if (kind === "recorded") {
      for (let i = 0; i < data.n_used; i++) rows.push({ name: data.labels[i], weights: unit(i), doubtful: false });
    } else if (kind === "average") {
      names.forEach((name, k) => rows.push({ name, weights: excerpt.matrix[k], side: data.sides[k], chain: data.sides[k], doubtful: lost.has(name) }));
    } else {
      let chain = 0, last = -1;
      for (const [a, b] of data.derivations) {
        if (a !== last) chain++;
        last = b;
        const weights = excerpt.matrix[a].map((w, i) => w - excerpt.matrix[b][i]), side = data.sides[a];
        rows.push({ name: names[a] + "-" + names[b], weights, side, chain, doubtful: lost.has(names[a]) || lost.has(names[b]) });
      }
    }
    for (let i = data.n_used; i < data.labels.length; i++) {
      rows.push({ name: data.labels[i], weights: unit(i), chain: "aside", doubtful: false, aside: true });
    }
    let room = 0;
    rows.forEach((row, r) => { if (r && row.chain !== rows[r - 1].chain) room += 0.5; row.at = r + room; });
    return rows;
  }

  function derive(channels, weights) {
    const n = channels[0].length, out = new Float64Array(n), used = [];
    for (let i = 0; i < channels.length; i++) if (Math.abs(weights[i] || 0) > 1e-9) used.push(i);
    if (!used.length) return out;
    for (const i of used) {
      const row = channels[i], w = weights[i];
      for (let k = 0; k < n; k++) out[k] += w * row[k];
    }
    return out;
  }

  // ---- time ---------------------------------------------------------------------------------------------------

  const two = (v) => String(v).padStart(2, "0");
  function elapsed(at) {
    const whole = Math.floor(at + 1e-9);
    return Math.floor(whole / 3600) + ":" + two(Math.floor(whole / 60) % 60) + ":" + two(whole % 60);
  }
  // The recording's clock has no zone: it is counted as if it were UTC's, which knows no summer time.
  function clock(start, at) {
    if (!start) return "";
    const whole = start.slice(0, 19), fraction = Number("0" + start.slice(19)) || 0;
    const t = new Date(Date.parse(whole + "Z") + Math.floor((at + fraction) * 1000 + 1e-6));
    return two(t.getUTCHours()) + ":" + two(t.getUTCMinutes()) + ":" + two(t.getUTCSeconds());
  }

  // ---- review -------------------------------------------------------------------------------------------------

  function freshReview(data) {
    return data.events.map((e) => ({
      onset_s: e.onset_s, offset_s: e.offset_s, from: [e.onset_s, e.offset_s], confidence: e.confidence, verdict: "",
      note: "", added: false,
    }));
  }

  const seconds = (v) => v.toFixed(4);
  const ascii = (text) => text.replace(/\s+/g, " ").replace(/[^\x20-\x7e]/g,
    (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

  // Return the review as a CSV_bi that tiles the recording; it says "reviewed" only if every event was judged.
  function csvBi(data, review, when) {
    const open = review.filter((e) => !e.verdict).length, total = Math.round(data.duration_s * TICKS);
    const lines = ["# version = csv_v1.0.0", "# bname = " + data.bname, "# duration = " + seconds(total / TICKS) + " secs",
      "# montage_file = brainscan_19_average.txt", "#", HEADER];
    const say = (text) => lines.push("# brainscan: " + ascii(text));
    data.comments.forEach(say);
    say(open ? "draft " + open + " of " + review.length + " events not judged" : "reviewed " + when);
    for (const e of review) {
      const from = seconds(e.from[0]) + " " + seconds(e.from[1]), to = seconds(e.onset_s) + " " + seconds(e.offset_s);
      if (e.verdict === "reject") say("rejected " + from);
      else if (e.added) say("added " + to);
      else if (from !== to) say("moved " + from + " to " + to);
      if (e.note) say("note " + to + " " + e.note);
    }
    const kept = review.filter((e) => e.verdict !== "reject")
      .map((e) => [Math.max(0, Math.round(e.onset_s * TICKS)), Math.min(total, Math.round(e.offset_s * TICKS)), e.confidence])
      .filter((e) => e[1] > e[0]).sort((a, b) => a[0] - b[0]);
    const joined = [];
    for (const e of kept) {
      const last = joined[joined.length - 1];
      if (last && e[0] < last[1]) { last[1] = Math.max(last[1], e[1]); last[2] = Math.max(last[2], e[2]); }
      else joined.push(e.slice());
    }
    let at = 0;
    const row = (a, b, label, c) => lines.push(["TERM", seconds(a / TICKS), seconds(b / TICKS), label, c.toFixed(4)].join(","));
    for (const [a, b, c] of joined) {
      if (a > at) row(at, a, "bckg", 1);
      row(a, b, "seiz", c);
      at = b;
    }
    if (at < total) row(at, total, "bckg", 1);
    return lines.join("\n") + "\n";
  }

  // ---- the page -----------------------------------------------------------------------------------------------

  const $ = (id) => document.getElementById(id);
  let data, review, trends = null, strip, decoded = [], derived = new Map();
  const state = { t0: 0, cursor: 0, nightAt: null, event: -1, montage: "bipolar", sensitivity: 7, high: 0.5, low: 70, notch: 0 };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  function sized(canvas, width, height) {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    const g = canvas.getContext("2d");
    g.setTransform(ratio, 0, 0, ratio, 0, 0);
    g.fillStyle = colour("ground");
    g.fillRect(0, 0, width, height);
    g.font = "11px system-ui, sans-serif";
    return g;
  }

  // Negative is up, as everywhere in EEG. The rows of one excerpt as drawn now; derived once for each montage and filter.
  function rowsOf(index) {
    const key = [index, state.montage, state.high, state.low, state.notch].join("|");
    if (!derived.has(key)) {
      if (derived.size > 6) derived.delete(derived.keys().next().value);
      const excerpt = data.excerpts[index], channels = decoded[index];
      derived.set(key, montageRows(state.montage, data, excerpt).map((row) => ({
        ...row, uv: filtered(derive(channels, row.weights), excerpt.rate_hz, state.high, state.low, state.notch),
      })));
    }
    return derived.get(key);
  }

  const excerptsIn = (a, b) => data.excerpts.map((e, k) => k).filter((k) => {
    const e = data.excerpts[k];
    return decoded[k] && e.start_s < b && e.start_s + e.n / e.rate_hz > a;
  });

  const span = () => (window.innerWidth < 640 ? SECONDS / 2 : SECONDS);

  function drawEeg(canvas, t0, length, width) {
    const inside = excerptsIn(t0, t0 + length), rows = inside.length ? rowsOf(inside[0]) : [];
    const left = 64, top = 18, rowHeight = width < 640 ? 20 : 30, curve = 46, n = Math.max(rows.length ? rows[rows.length - 1].at + 1 : 0, 8);
    const height = top + n * rowHeight + curve + 22, bottom = top + n * rowHeight;
    canvas.style.height = height + "px";
    const g = sized(canvas, width, height), x = (t) => left + (t - t0) / length * (width - left - 4);
    g.save();
    g.beginPath(); g.rect(left, 0, width - left, height); g.clip();
    const band = (a, b, fill, y, h) => { g.fillStyle = fill; g.fillRect(x(a), y, Math.max(x(b) - x(a), 1), h); };
    for (const [a, b] of data.gaps) if (a < t0 + length && b > t0) band(a, b, colour("absent"), 0, height);
    for (const [a, b] of data.unscored) if (a < t0 + length && b > t0) band(a, b, colour("absent"), bottom, curve);
    for (const e of review) if (e.verdict !== "reject" && e.onset_s < t0 + length && e.offset_s > t0) band(e.onset_s, e.offset_s, colour("event"), top, bottom - top + curve);
    for (const [a, b] of data.other) if (a < t0 + length && b > t0) band(a, b, colour("second"), top - 6, 6);
    for (let t = Math.ceil(t0 - 1e-9); t <= t0 + length; t++) {
      g.strokeStyle = colour("line"); g.lineWidth = t % 5 ? 0.5 : 1;
      g.beginPath(); g.moveTo(x(t), top); g.lineTo(x(t), bottom + curve); g.stroke();
      if (t % (width < 640 ? 2 : 1) === 0) {
        g.fillStyle = colour("soft"); g.textAlign = "center";
        if (x(t) > left + 22 && x(t) < width - 22) g.fillText(clock(data.start, t) || elapsed(t), x(t), height - 6);
      }
    }
    const scale = PX_PER_MM / state.sensitivity;
    for (const k of inside) {
      const e = data.excerpts[k], drawn = rowsOf(k);
      const first = Math.max(Math.floor((t0 - e.start_s) * e.rate_hz), 0), stop = Math.min(Math.ceil((t0 + length - e.start_s) * e.rate_hz) + 1, e.n);
      for (const row of drawn) {
        const y0 = top + (row.at + 0.5) * rowHeight, gain = row.aside ? scale / 10 : scale;
        g.strokeStyle = row.doubtful ? colour("faint") : colour(row.side || "trace");
        g.setLineDash(row.doubtful ? [3, 2] : []);
        g.lineWidth = 0.8;
        g.beginPath();
        let pen = false;
        for (let i = first; i < stop; i++) {
          const v = row.uv[i];
          if (Number.isNaN(v)) { pen = false; continue; }
          const y = Math.min(Math.max(y0 + gain * v, top - 10), bottom + 10), px = x(e.start_s + i / e.rate_hz);
          if (pen) g.lineTo(px, y); else g.moveTo(px, y);
          pen = true;
        }
        g.stroke();
      }
      g.setLineDash([]);
      g.strokeStyle = colour("curve"); g.lineWidth = 1.2; g.beginPath();
      let pen = false;
      e.curve.forEach((p, i) => {
        const t = e.start_s + (i + 0.5) / data.curve_hz;
        if (p === 255) { pen = false; return; }
        const y = bottom + curve - 3 - p / 250 * (curve - 8);
        if (pen) g.lineTo(x(t), y); else g.moveTo(x(t), y);
        pen = true;
      });
      g.stroke();
    }
    if (data.threshold !== null && data.threshold !== undefined) {
      const y = bottom + curve - 3 - data.threshold * (curve - 8);
      g.strokeStyle = colour("soft"); g.setLineDash([2, 3]); g.beginPath(); g.moveTo(left, y); g.lineTo(width, y); g.stroke(); g.setLineDash([]);
    }
    for (const note of data.notes) if (note.at_s >= t0 && note.at_s < t0 + length) {
      g.fillStyle = colour("curve"); g.textAlign = "left"; g.fillText("▾" + note.text.slice(0, 40), x(note.at_s), 11);
    }
    if (canvas.id === "eeg") {
      g.strokeStyle = colour("cursor"); g.lineWidth = 1; g.beginPath(); g.moveTo(x(state.cursor), top); g.lineTo(x(state.cursor), bottom + curve); g.stroke();
    }
    g.restore();
    g.textAlign = "right";
    for (const row of rows) {
      g.fillStyle = row.doubtful ? colour("faint") : colour(row.side || "ink");
      g.fillText((row.doubtful ? "(" : "") + row.name.slice(0, 9) + (row.doubtful ? ")" : ""), left - 4, top + (row.at + 0.5) * rowHeight + 4);
    }
    g.fillStyle = colour("soft"); g.fillText("probability", left - 4, bottom + curve / 2);
    const bar = BARS_UV.filter((uv) => uv * scale <= 1.5 * rowHeight).pop() || BARS_UV[0], right = width - 8;
    g.strokeStyle = colour("ink"); g.lineWidth = 2; g.beginPath(); g.moveTo(right, top + 4); g.lineTo(right, top + 4 + bar * scale); g.stroke();
    g.fillStyle = colour("ground"); g.globalAlpha = 0.8; g.fillRect(right - 8 - g.measureText(bar + " µV").width, top + 4, g.measureText(bar + " µV").width + 4, 14); g.globalAlpha = 1;
    g.fillStyle = colour("ink"); g.fillText(bar + " µV", right - 6, top + 15);
    if (!inside.length && decoded.length < data.excerpts.length && typeof DecompressionStream !== "undefined") {
      g.fillStyle = colour("soft"); g.textAlign = "center"; g.fillText("unpacking the EEG …", (left + width) / 2, top + 40);
    } else if (!inside.length) {
      g.fillStyle = colour("soft"); g.textAlign = "center";
      for (const [i, text] of ["No EEG of this time is kept in the page:", "it holds what surrounds the events."].entries()) g.fillText(text, (left + width) / 2, top + 40 + 16 * i);
    }
    return { left, width, t0, length };
  }

  let geometry = { left: 64, width: 1, t0: 0, length: SECONDS };
  function draw() {
    const canvas = $("eeg");
    geometry = drawEeg(canvas, state.t0, span(), canvas.clientWidth || 900);
    drawNight();
    const e = review[state.event], parts = [];
    parts.push((clock(data.start, state.t0) || "") + " (" + elapsed(state.t0) + ")");
    parts.push("cursor " + state.cursor.toFixed(2) + " s");
    if (e) parts.push("event " + (state.event + 1) + ": " + e.onset_s.toFixed(2) + " to " + e.offset_s.toFixed(2) + " s, " + (e.verdict ? e.verdict + "ed" : "not judged"));
    parts.push(review.filter((r) => !r.verdict).length + " not judged");
    const k = excerptsIn(state.t0, state.t0 + span())[0];
    if (k !== undefined && data.excerpts[k].interpolated.length) parts.push("interpolated: " + data.excerpts[k].interpolated.join(" "));
    $("where").textContent = parts.join(" · ");
    document.querySelectorAll("#events tbody tr").forEach((tr) => {
      const i = Number(tr.dataset.event), item = review[i];
      tr.classList.toggle("chosen", i === state.event);
      tr.classList.toggle("rejected", item.verdict === "reject");
      tr.querySelector(".accept").setAttribute("aria-pressed", String(item.verdict === "accept"));
      tr.querySelector(".reject").setAttribute("aria-pressed", String(item.verdict === "reject"));
      tr.querySelector(".seconds").textContent = (item.offset_s - item.onset_s).toFixed(1) + (item.offset_s - item.onset_s >= 300 ? " (prolonged)" : "");
      tr.querySelector(".elapsed").textContent = elapsed(Math.round(item.onset_s));
    });
  }

  const stripTools = { colour, clock, elapsed, ofDay: (start) => { const [h, m, s] = start.slice(11).split(":").map(Number); return h * 3600 + m * 60 + s; } };
  function drawNight() {
    const canvas = $("night"), width = canvas.clientWidth || 900;
    strip = brainscanStrip.geometry(data, trends, width);
    canvas.style.height = strip.height + "px";
    const view = { review, t0: state.t0, span: span(), at: state.nightAt };
    brainscanStrip.draw(sized(canvas, width, strip.height), strip, data, trends, view, stripTools);
  }
  function tellNight(t) { state.nightAt = t; $("night-at").textContent = brainscanStrip.told(t, data, trends, review, stripTools); drawNight(); }
  function goNight(t) {
    const near = data.duration_s / Math.max(strip.width - strip.left, 1) * 4, hit = review.findIndex((e) => t >= e.onset_s - near && t <= e.offset_s + near);
    if (hit >= 0) choose(hit); else { state.cursor = t; goTo(t - span() / 2); }
  }

  // ---- beside the EEG: topography and spectrogram of the chosen event ---------------------------------------------

  // Power at 1 to nBins Hz of short windows, mean over rows that hold nothing above 30 Hz: every few samples are enough.
  function spectrogram(rows, rate, nColumns, nBins) {
    const stride = Math.max(Math.floor(rate / 70), 1), n = Math.floor(2 * rate / stride), length = rows[0].length, waves = [];
    for (let b = 1; b <= nBins; b++) {
      const re = new Float64Array(n), im = new Float64Array(n);
      for (let i = 0; i < n; i++) {
        const w = 0.5 - 0.5 * Math.cos(2 * Math.PI * i / n), phase = 2 * Math.PI * b * i * stride / rate;
        re[i] = w * Math.cos(phase); im[i] = w * Math.sin(phase);
      }
      waves.push([re, im]);
    }
    const grid = [], x = new Float64Array(n);
    for (let c = 0; c < nColumns; c++) {
      const column = new Float64Array(nBins), from = Math.max(Math.round(c / nColumns * (length - n * stride)), 0);
      for (const uv of rows) {
        for (let i = 0; i < n; i++) x[i] = uv[from + i * stride] || 0;
        for (let b = 0; b < nBins; b++) {
          const re = waves[b][0], im = waves[b][1];
          let p = 0, q = 0;
          for (let i = 0; i < n; i++) { p += x[i] * re[i]; q += x[i] * im[i]; }
          column[b] += (p * p + q * q) / n / rows.length;
        }
      }
      grid.push(column);
    }
    return grid;
  }

  const ramp = brainscanStrip.ramp;

  function drawBeside() {
    const e = review[state.event], k = e ? excerptsIn(e.onset_s, e.onset_s + 5)[0] : undefined;
    const t = sized($("topography"), 220, 220), width = $("spectrogram").clientWidth || 640, s = sized($("spectrogram"), width, 220);
    document.querySelector(".beside").hidden = k === undefined;
    if (k === undefined) return;
    const x = data.excerpts[k], rate = x.rate_hz, eeg = x.matrix.map((w) => filtered(derive(decoded[k], w), rate, 1, 30, 0));
    const first = Math.max(Math.round((e.onset_s - x.start_s) * rate), 0), stop = Math.min(first + Math.round(5 * rate), x.n);
    const level = eeg.map((uv) => { let sum = 0; for (let i = first; i < stop; i++) sum += (uv[i] || 0) ** 2; return Math.sqrt(sum / Math.max(stop - first, 1)); });
    const most = Math.max(...level, 1e-9);
    const flat = data.positions.map(([px, py, pz]) => { const r = Math.acos(pz) / (Math.PI / 2) / Math.hypot(px, py || 1e-9); return [110 + 90 * px * r, 110 - 90 * py * r]; });
    for (let gx = 10; gx < 210; gx += 4) for (let gy = 10; gy < 210; gy += 4) {
      if (Math.hypot(gx - 110, gy - 110) > 98) continue;
      let sum = 0, weight = 0;
      flat.forEach(([fx, fy], i) => { const w = 1 / (Math.hypot(gx - fx, gy - fy) ** 3 + 30); sum += w * level[i]; weight += w; });
      t.fillStyle = "rgb(" + ramp(sum / weight / most).join(",") + ")"; t.fillRect(gx, gy, 4, 4);
    }
    t.textAlign = "center"; t.font = "9px sans-serif";
    const leading = (data.events[state.event] || {}).leading || [];
    flat.forEach(([fx, fy], i) => {
      t.fillStyle = "#000"; t.fillRect(fx - 9, fy - 6, 18, 11);
      if (leading.includes(data.electrodes[i])) { t.strokeStyle = "#fff"; t.lineWidth = 2; t.strokeRect(fx - 11, fy - 8, 22, 15); }
      t.fillStyle = "#fff"; t.fillText(data.electrodes[i], fx, fy + 3);
    });
    const length = x.n / rate, nColumns = Math.max(Math.min(120, Math.floor(length)), 1), bins = 30;
    const log = spectrogram(eeg, rate, nColumns, bins).map((column) => Array.from(column, (p) => Math.log10(p + 1e-3)));
    const all = log.flat().sort((u, v) => u - v);
    const low = all[Math.floor(all.length * 0.05)], high = all[all.length - 1];
    log.forEach((column, c) => column.forEach((p, b) => {
      s.fillStyle = "rgb(" + ramp((p - low) / (high - low || 1)).join(",") + ")";
      s.fillRect(c / nColumns * width, 200 - (b + 1) / bins * 200, width / nColumns + 1, 200 / bins + 1);
    }));
    s.fillStyle = colour("ink");
    for (const at of [e.onset_s, e.offset_s]) s.fillRect((at - x.start_s) / length * width, 0, 1.5, 206);
    s.fillText("30 Hz", 2, 10); s.fillText(elapsed(x.start_s) + " to " + elapsed(x.start_s + length), 2, 216);
  }

  // Seven µV/mm, as a technician begins; less of it where rows would run into each other.
  function fitting() {
    const k = excerptsIn(state.t0, state.t0 + span())[0];
    if (k === undefined) return;
    const e = data.excerpts[k], first = Math.max(Math.floor((state.t0 - e.start_s) * e.rate_hz), 0), stop = first + Math.ceil(span() * e.rate_hz);
    const reached = rowsOf(k).filter((row) => !row.aside && !row.doubtful).map((row) => {
      const size = Array.from(row.uv.subarray(first, stop), Math.abs).filter((v) => v >= 0).sort((a, b) => a - b);
      return size.length ? size[Math.floor(size.length * 0.9)] : 0;
    }).sort((a, b) => a - b);
    const usual = reached[Math.floor(reached.length / 2)] || 0, room = 25 / PX_PER_MM;
    state.sensitivity = SENSITIVITIES.find((s) => s >= 7 && usual / s <= room) || SENSITIVITIES[SENSITIVITIES.length - 1];
    $("sensitivity").value = String(state.sensitivity);
  }

  // ---- what keys and buttons do -----------------------------------------------------------------------------------

  function clampTime(t) { return Math.min(Math.max(t, 0), Math.max(data.duration_s - span(), 0)); }
  function goTo(t) { state.t0 = clampTime(t); draw(); }
  function choose(i) {
    if (!review.length) return;
    state.event = Math.min(Math.max(i, 0), review.length - 1);
    const e = review[state.event];
    state.cursor = e.onset_s;
    $("note").value = e.note;
    goTo(e.onset_s - span() * 0.2);
    drawBeside();
  }
  function step(list, value, by) { return list[Math.min(Math.max(list.indexOf(value) + by, 0), list.length - 1)]; }
  function cycle(list, value) { return list[(list.indexOf(value) + 1) % list.length]; }
  function set(name, value) { state[name] = value; $(name).value = String(value); draw(); }
  function say(text) { $("where").textContent = text; }

  function keep() { try { localStorage.setItem("brainscan " + data.key, JSON.stringify(review)); } catch (error) { /* a browser may forbid it */ } }
  function judge(verdict) {
    const e = review[state.event];
    if (!e) return say("choose an event first");
    e.verdict = e.verdict === verdict ? "" : verdict;
    keep(); draw();
  }
  function move(which) {
    const e = review[state.event];
    if (!e) return say("choose an event first");
    const other = which === "onset_s" ? e.offset_s : e.onset_s, at = state.cursor;
    if (which === "onset_s" ? at >= other : at <= other) return say("the onset must lie before the offset");
    e[which] = at; e.verdict = "accept";
    keep(); draw();
  }
  function add() {
    const onset = Math.min(state.cursor, Math.max(data.duration_s - 1, 0)), offset = Math.min(onset + 10, data.duration_s);
    review.push({ onset_s: onset, offset_s: offset, from: [onset, offset], confidence: 1, verdict: "accept", note: "", added: true });
    row(review.length - 1);
    keep(); state.event = review.length - 1; draw();
  }
  // Only what the reader added: what was found is rejected instead.
  function drop() {
    const e = review[state.event];
    if (!e || !e.added) return say("only an added event can be removed; reject others");
    review.splice(state.event, 1);
    document.querySelectorAll("#events tbody tr").forEach((tr) => { if (Number(tr.dataset.event) >= data.events.length) tr.remove(); });
    for (let i = data.events.length; i < review.length; i++) row(i);
    keep(); state.event = Math.min(state.event, review.length - 1); draw();
  }
  function row(i) {
    const e = review[i], tr = document.createElement("tr"), body = document.querySelector("#events tbody");
    tr.dataset.event = String(i);
    const cell = (tag, name, text) => { const c = document.createElement(tag); if (name) c.className = name; c.textContent = text; tr.append(c); return c; };
    const button = (name, text, label) => { const b = document.createElement("button"); b.type = "button"; b.className = name; b.textContent = text; b.setAttribute("aria-label", label); return b; };
    cell("th", "", "").append(button("show", String(i + 1), "event " + (i + 1)));
    cell("td", "elapsed", elapsed(e.onset_s)); cell("td", "", clock(data.start, e.onset_s) || "–"); cell("td", "seconds", ""); cell("td", "", "added");
    if (data.places) cell("td", "", "");
    if (data.other_name) cell("td", "", "");
    cell("td", "", "");
    cell("td", "review", "").append(button("accept", "accept", "accept event " + (i + 1)), " ", button("reject", "reject", "reject event " + (i + 1)));
    body.append(tr);
  }
  function save() {
    const open = review.filter((e) => !e.verdict).length, text = csvBi(data, review, new Date().toISOString().slice(0, 19) + "Z");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
    link.download = data.bname + (open ? "_draft.csv_bi" : "_reviewed.csv_bi");
    document.body.append(link); link.click(); link.remove();
    say(open ? "saved as a draft: " + open + " events are not judged, so it is no reference yet" : "saved as reviewed");
  }
  function paper() {
    const box = $("paper");
    document.documentElement.dataset.paper = "yes";
    box.replaceChildren();
    drawNight();
    review.forEach((e, i) => {
      const figure = document.createElement("figure"), caption = document.createElement("figcaption"), canvas = document.createElement("canvas"), image = document.createElement("img");
      drawEeg(canvas, clampTime(e.onset_s - 2), SECONDS, 1040);
      image.src = canvas.toDataURL("image/png"); image.alt = "EEG of event " + (i + 1);
      caption.textContent = data.file + ", event " + (i + 1) + ", " + elapsed(e.onset_s) + " " + clock(data.start, e.onset_s) + ", " + (e.offset_s - e.onset_s).toFixed(1) + " s, " +
        (e.verdict ? e.verdict + "ed" : "not judged") + "; " + state.montage + ", " + state.sensitivity + " µV/mm" + (e.note ? "; " + e.note : "");
      figure.append(caption, image); box.append(figure);
    });
  }

  const KEYS = [
    ["n", "next event", () => choose(state.event + 1)], ["p", "previous event", () => choose(state.event - 1)],
    ["ArrowRight", "page right", (e) => goTo(state.t0 + (e.shiftKey ? 1 : span()))], ["ArrowLeft", "page left (with shift: by 1 s)", (e) => goTo(state.t0 - (e.shiftKey ? 1 : span()))],
    ["+", "larger traces", () => set("sensitivity", step(SENSITIVITIES, state.sensitivity, -1))], ["-", "smaller traces", () => set("sensitivity", step(SENSITIVITIES, state.sensitivity, 1))],
    ["m", "next montage", () => set("montage", cycle(["bipolar", "average", "recorded"], state.montage))],
    ["h", "next high-pass", () => set("high", cycle(HIGH, state.high))], ["l", "next low-pass", () => set("low", cycle(LOW, state.low))], ["f", "next notch", () => set("notch", cycle(NOTCH, state.notch))],
    ["a", "accept", () => judge("accept")], ["r", "reject", () => judge("reject")],
    [",", "cursor left by 0.1 s", () => { state.cursor = Math.max(state.cursor - 0.1, 0); draw(); }], [".", "cursor right by 0.1 s", () => { state.cursor = Math.min(state.cursor + 0.1, data.duration_s); draw(); }],
    ["[", "onset at the cursor", () => move("onset_s")], ["]", "offset at the cursor", () => move("offset_s")],
    ["e", "add an event at the cursor", add], ["x", "remove an added event", drop], ["t", "write a note", () => $("note").focus()], ["s", "save the review", save],
    ["?", "these keys", () => $("keys").showModal()],
  ];

  function wire() {
    const options = (id, list, name) => list.forEach((v) => { const o = document.createElement("option"); o.value = String(v); o.textContent = name(v); $(id).append(o); });
    options("sensitivity", SENSITIVITIES, (v) => String(v));
    options("high", HIGH, (v) => (v ? v + " Hz" : "off")); options("low", LOW, (v) => (v ? v + " Hz" : "off")); options("notch", NOTCH, (v) => (v ? v + " Hz" : "off"));
    for (const id of ["montage", "sensitivity", "high", "low", "notch"]) {
      $(id).value = String(state[id]);
      $(id).addEventListener("change", () => set(id, id === "montage" ? $(id).value : Number($(id).value)));
    }
    const on = (id, f) => $(id).addEventListener("click", f), key = (k) => KEYS.find((entry) => entry[0] === k)[2];
    on("next-event", key("n")); on("prev-event", key("p")); on("page-left", key("ArrowLeft")); on("page-right", key("ArrowRight"));
    on("accept", key("a")); on("reject", key("r")); on("onset", key("[")); on("offset", key("]")); on("add", add); on("save", save); on("help", key("?"));
    on("print", () => window.print());
    window.addEventListener("beforeprint", paper);
    window.addEventListener("afterprint", () => { delete document.documentElement.dataset.paper; draw(); });
    $("note").addEventListener("change", () => { if (review[state.event]) { review[state.event].note = $("note").value; keep(); } });
    $("events").addEventListener("click", (event) => {
      const tr = event.target.closest("tr[data-event]"), button = event.target.closest("button");
      if (!tr || !button) return;
      choose(Number(tr.dataset.event));
      if (button.className === "accept" || button.className === "reject") judge(button.className);
    });
    if ($("others")) $("others").addEventListener("click", (event) => { const tr = event.target.closest("tr[data-at]"); if (tr) { state.cursor = Number(tr.dataset.at); goTo(state.cursor - span() * 0.2); } });
    $("eeg").addEventListener("click", (event) => {
      const at = event.offsetX - geometry.left;
      if (at >= 0) { state.cursor = Math.min(geometry.t0 + at / (geometry.width - geometry.left - 4) * geometry.length, data.duration_s); draw(); }
    });
    $("night").addEventListener("click", (event) => { if (event.offsetX >= strip.left) { const at = brainscanStrip.timeAt(strip, event.offsetX); tellNight(at); goNight(at); } });
    $("night").addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" && event.offsetX >= strip.left) tellNight(brainscanStrip.timeAt(strip, event.offsetX)); });
    $("night").addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key], at = state.nightAt === null ? state.t0 : state.nightAt;
      if (by) tellNight(Math.min(Math.max(at + by * data.duration_s / (event.shiftKey ? 1000 : 100), 0), data.duration_s));
      else if (event.key === "Enter") goNight(at); else return;
      event.preventDefault(); event.stopPropagation();
    });
    if ($("notes")) $("notes").addEventListener("click", (event) => { const button = event.target.closest("button[data-at]"); if (button) { state.cursor = Number(button.dataset.at); goTo(state.cursor - span() / 2); } });
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || !$("keys-on").checked || $("keys").open) return;
      if (/^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
      const entry = KEYS.find((k) => k[0] === event.key || (k[0] === "+" && event.key === "="));
      if (entry) { event.preventDefault(); entry[2](event); }
    });
    for (const [name, what] of KEYS) {
      const dt = document.createElement("dt"), dd = document.createElement("dd");
      dt.textContent = name.replace("Arrow", "arrow ").toLowerCase(); dd.textContent = what; $("key-list").append(dt, dd);
    }
    window.addEventListener("resize", draw);
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { draw(); drawBeside(); });
  }

  async function start() {
    data = JSON.parse($("page-data").textContent);
    review = freshReview(data);
    try {
      const kept = JSON.parse(localStorage.getItem("brainscan " + data.key) || "null");
      if (Array.isArray(kept) && kept.length >= review.length) { review = kept; for (let i = data.events.length; i < kept.length; i++) row(i); }
    } catch (error) { /* a browser may forbid it */ }
    if (data.trends && typeof DecompressionStream !== "undefined") trends = { ...brainscanStrip.unpack(await inflate(data.trends.data), data.trends.n), column_s: data.trends.column_s };
    wire(); draw();
    if (data.excerpts.length && typeof DecompressionStream === "undefined") return say("this browser is too old to unpack the EEG; the tables are whole");
    for (let k = 0; k < data.excerpts.length; k++) {
      const e = data.excerpts[k], rows = unpack(await inflate(e.data), data.labels.length, e.n);
      decoded[k] = rows.map((values, c) => toMicrovolts(values, e.step[c], e.offset[c]));
      if (k === 0) { if (review.length) choose(0); else draw(); fitting(); draw(); document.documentElement.dataset.shown = "yes"; }
    }
    choose(Math.max(state.event, 0));
    document.documentElement.dataset.shown = "yes";
    document.documentElement.dataset.ready = "yes";
  }

  const parts = { inflate, unpack, toMicrovolts, filtered, spectrogram, montageRows, derive, clock, elapsed, csvBi, freshReview, section };
  if (typeof module !== "undefined") module.exports = parts;
  else start();
  if (typeof window !== "undefined") window.brainscanPage = { state, go: (t) => goTo(t), decoded, at: () => geometry, review: () => review, data: () => data };
})();
