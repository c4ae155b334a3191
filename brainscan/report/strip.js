"use strict";
// The strip over the whole recording: probability, events, notes, electrodes, trends; and what it says of one moment.
const brainscanStrip = (function () {
  const ABSENT = 255, LEVELS = 250, BINS = 40, TOP_HZ = 20;
  const LINES_UV = [5, 10, 25, 50, 100, 200], DECADES = Math.log10(200 / 10);
  const STOPS = [[13, 8, 80], [84, 2, 163], [185, 50, 137], [244, 136, 73], [240, 249, 33]];

  // Rows of levels, in the order in which they are packed.
  function unpack(bytes, n) {
    let at = 0;
    const take = (k) => Array.from({ length: k }, () => { at += n; return bytes.subarray(at - n, at); });
    return {
      n, aeeg: take(4), power: [take(BINS), take(BINS)], asymmetry: take(BINS), rhythm: take(BINS), suppressed: take(2),
      unusable: take(19), images: new Map(),
    };
  }

  function ramp(share) {
    const k = Math.min(Math.max(share, 0), 1) * 4, i = Math.min(Math.floor(k), 3), f = k - i;
    return STOPS[i].map((v, c) => Math.round(v + f * (STOPS[i + 1][c] - v)));
  }
  // Blue: the left side has more; red: the right; between them nearly white.
  function twoSides(share) {
    const k = Math.min(Math.max(share * 2 - 1, -1), 1), f = Math.sqrt(Math.abs(k)), end = k < 0 ? [20, 80, 190] : [190, 30, 40];
    return end.map((v) => Math.round(245 + f * (v - 245)));
  }
  const microvolts = (level) => { const half = level / LEVELS * 2; return half <= 1 ? 10 * half : 10 * 10 ** ((half - 1) * DECADES); };
  const share = (uv) => (uv <= 10 ? uv / 20 : 0.5 + 0.5 * Math.log10(uv / 10) / DECADES);

  // One pixel a column and a bin, the highest frequency on top; drawn larger later.
  function image(trends, name, rows, paint) {
    if (!trends.images.has(name)) {
      const canvas = document.createElement("canvas");
      canvas.width = trends.n; canvas.height = rows.length;
      const g = canvas.getContext("2d"), picture = g.createImageData(trends.n, rows.length);
      rows.forEach((row, r) => row.forEach((level, c) => {
        if (level === ABSENT) return;
        const at = ((rows.length - 1 - r) * trends.n + c) * 4, [red, green, blue] = paint(level / LEVELS);
        picture.data[at] = red; picture.data[at + 1] = green; picture.data[at + 2] = blue; picture.data[at + 3] = 255;
      }));
      g.putImageData(picture, 0, 0);
      trends.images.set(name, canvas);
    }
    return trends.images.get(name);
  }

  // What stands one below the other: names, lines below the names, heights.
  function bands(trends, narrow, hasNotes) {
    const list = [["probability", "", 64]];
    if (hasNotes) list.push(["notes", "", 14]);
    if (trends) {
      const tall = narrow ? 36 : 44;
      list.push(["electrodes", "unusable", 57], ["aEEG left", "µV", tall], ["aEEG right", "µV", tall], ["spectrum left", "0–20 Hz", tall],
        ["spectrum right", "0–20 Hz", tall], ["asymmetry", "blue L, red R", tall], ["rhythmicity", "0–20 Hz", tall], ["suppressed", "0–100 %", 30]);
    }
    let y = 4;
    return list.map(([name, below, height]) => { const band = { name, below, y, height }; y += height + 4; return band; });
  }
  const leftOf = (width) => (width < 640 ? 0 : 96);

  // Return where times lie on the strip, and how tall it is.
  function geometry(data, trends, width) {
    const left = leftOf(width), all = bands(trends, width < 640, data.notes.length > 0), last = all[all.length - 1];
    return { left, width, bands: all, bottom: last.y + last.height, height: last.y + last.height + 22, duration_s: data.duration_s };
  }
  const timeAt = (where, px) => Math.min(Math.max((px - where.left) / Math.max(where.width - where.left, 1), 0), 1) * where.duration_s;

  function drawProbability(g, band, data, x) {
    g.beginPath();
    let pen = false;
    const base = band.y + band.height;
    data.night.forEach((p, i) => {
      if (p === ABSENT) { pen = false; return; }
      const px = x((i + 0.5) * data.column_s), y = base - 2 - p / LEVELS * (band.height - 4);
      if (pen) g.lineTo(px, y); else g.moveTo(px, y);
      pen = true;
    });
    g.stroke();
  }

  function drawAeeg(g, band, lower, upper, trends, tools, px, width, left) {
    const y = (part) => band.y + band.height - part * band.height;
    g.fillStyle = tools.colour("line");
    for (const uv of LINES_UV) g.fillRect(left, y(share(uv)), width - left, uv === 10 ? 1 : 0.5);
    if (left) {
      g.fillStyle = tools.colour("soft"); g.font = "9px system-ui, sans-serif"; g.textAlign = "right";
      for (const uv of [10, 100]) g.fillText(uv, width - 1, y(share(uv)) - 1);
    }
    g.fillStyle = tools.colour("trace");
    for (let c = 0; c < trends.n; c++) {
      if (lower[c] === ABSENT) continue;
      const top = y(upper[c] / LEVELS), height = Math.max(y(lower[c] / LEVELS) - top, 1);
      g.fillRect(px(c), top, px(c + 1) - px(c) + 0.3, height);
    }
  }

  function drawTrends(g, where, trends, tools) {
    const { left, width, bands: all } = where, of = (name) => all.find((band) => band.name === name);
    const px = (c) => left + Math.min(c * trends.column_s / where.duration_s, 1) * (width - left);
    const picture = (name, rows, paint) => {
      const band = of(name);
      g.imageSmoothingEnabled = false;
      g.drawImage(image(trends, name, rows, paint), left, band.y, px(trends.n) - left, band.height);
    };
    drawAeeg(g, of("aEEG left"), trends.aeeg[0], trends.aeeg[1], trends, tools, px, width, left);
    drawAeeg(g, of("aEEG right"), trends.aeeg[2], trends.aeeg[3], trends, tools, px, width, left);
    picture("spectrum left", trends.power[0], ramp);
    picture("spectrum right", trends.power[1], ramp);
    picture("asymmetry", trends.asymmetry, twoSides);
    picture("rhythmicity", trends.rhythm, ramp);
    const quality = of("electrodes"), suppressed = of("suppressed"), each = quality.height / 19;
    if (trends.unusable.every((row) => row.every((level) => level === 0 || level === ABSENT))) {
      g.fillStyle = tools.colour("soft"); g.font = "11px system-ui, sans-serif"; g.textAlign = "left";
      g.fillText("none unusable", left + 4, quality.y + quality.height / 2 + 4);
    }
    g.fillStyle = tools.colour("warn");
    trends.unusable.forEach((row, e) => row.forEach((level, c) => {
      if (level !== ABSENT && level > 0) g.fillRect(px(c), quality.y + e * each, px(c + 1) - px(c) + 0.3, Math.max(each - 0.5, 1));
    }));
    ["curve", "other-ink"].forEach((name, side) => {
      g.strokeStyle = tools.colour(name); g.setLineDash(side ? [3, 2] : []); g.lineWidth = 1.2; g.beginPath();
      let pen = false;
      trends.suppressed[side].forEach((level, c) => {
        if (level === ABSENT) { pen = false; return; }
        const y = suppressed.y + suppressed.height - 1 - level / LEVELS * (suppressed.height - 2), at = (px(c) + px(c + 1)) / 2;
        if (pen) g.lineTo(at, y); else g.moveTo(at, y);
        pen = true;
      });
      g.stroke();
    });
    g.setLineDash([]);
  }

  // tools: colour(name), clock(start, t), elapsed(t); view: review, t0, span, cursor
  function draw(g, where, data, trends, view, tools) {
    const { left, width, bands: all, bottom } = where, x = (t) => left + t / data.duration_s * (width - left);
    const fill = (a, b, name, y, h) => { g.fillStyle = tools.colour(name); g.fillRect(x(a), y, Math.max(x(b) - x(a), 1), h); };
    const probability = all[0], notes = all.find((band) => band.name === "notes"), kept = view.review.filter((e) => e.verdict !== "reject");
    for (const [a, b] of [...data.unscored, ...data.gaps]) fill(a, b, "absent", 0, bottom);
    for (const e of kept) { fill(e.onset_s, e.offset_s, "event", probability.y, probability.height); fill(e.onset_s, e.offset_s, "event-ink", probability.y + probability.height - 6, 6); }
    for (const [a, b] of data.other) fill(a, b, "second", probability.y, 5);
    for (const note of data.notes) fill(note.at_s, note.at_s, "curve", notes.y + 2, notes.height - 4);
    g.strokeStyle = tools.colour("curve"); g.lineWidth = 1;
    drawProbability(g, probability, data, x);
    if (data.threshold !== null && data.threshold !== undefined) {
      const y = probability.y + probability.height - 2 - data.threshold * (probability.height - 4);
      g.setLineDash([4, 3]); g.strokeStyle = tools.colour("soft"); g.beginPath(); g.moveTo(left, y); g.lineTo(width, y); g.stroke(); g.setLineDash([]);
    }
    if (trends) {
      drawTrends(g, where, trends, tools);
      g.globalAlpha = 0.55;
      for (const e of kept) fill(e.onset_s, e.onset_s, "event-ink", probability.y + probability.height, bottom - probability.y - probability.height);
      g.globalAlpha = 1;
    }
    g.font = "11px system-ui, sans-serif";
    for (const band of all) {
      g.fillStyle = tools.colour("line"); g.fillRect(left, band.y + band.height + 1.5, width - left, 0.5);
      g.textAlign = left ? "right" : "left";
      const at = left ? left - 5 : 3, low = band.height < 28 || !left;
      if (!left) { g.fillStyle = tools.colour("ground"); g.globalAlpha = 0.8; g.fillRect(0, band.y, g.measureText(band.name).width + 6, 13); g.globalAlpha = 1; }
      g.fillStyle = tools.colour("ink"); g.fillText(band.name, at, band.y + (low ? 10.5 : 13));
      if (!low && band.below) { g.fillStyle = tools.colour("soft"); g.fillText(band.below, at, band.y + 26); }
    }
    const steps = [10, 30, 60, 300, 600, 1800, 3600, 7200, 14400, 28800], step = steps.find((s) => x(s) - left > 70) || 86400;
    g.fillStyle = tools.colour("soft"); g.textAlign = "left";
    // At full minutes and hours by the clock, where there is one.
    const first = data.start ? (step - tools.ofDay(data.start) % step) % step : 0;
    for (let t = first; t < data.duration_s; t += step) {
      g.fillRect(x(t), bottom + 2, 1, 5);
      if (x(t) + 55 < width) g.fillText(tools.clock(data.start, t) || tools.elapsed(t), x(t) + 2, bottom + 16);
    }
    g.strokeStyle = tools.colour("cursor"); g.lineWidth = 1.5; g.strokeRect(x(view.t0), 1, Math.max(x(view.t0 + view.span) - x(view.t0), 2), bottom);
    if (view.at !== null) { g.fillStyle = tools.colour("cursor"); g.fillRect(x(view.at), 0, 1, bottom); }
  }

  // What the strip shows of a moment, in words.
  function told(t, data, trends, review, tools) {
    const parts = [[tools.clock(data.start, t), "(" + tools.elapsed(t) + ")"].filter(Boolean).join(" ")], near = data.duration_s / 800;
    review.forEach((e, i) => { if (t >= e.onset_s - near && t <= e.offset_s + near) parts.push("event " + (i + 1)); });
    const inside = (spans) => spans.some(([a, b]) => t >= a && t < b);
    if (inside(data.gaps)) parts.push("gap: nothing recorded"); else if (inside(data.unscored)) parts.push("not analysed");
    for (const note of data.notes) if (Math.abs(note.at_s - t) <= near) parts.push("note: " + note.text);
    if (trends) {
      const c = Math.min(Math.floor(t / trends.column_s), trends.n - 1), lost = data.electrodes.filter((name, e) => { const v = trends.unusable[e][c]; return v > 0 && v !== ABSENT; });
      if (trends.aeeg[0][c] !== ABSENT) {
        const range = (k) => Math.round(microvolts(trends.aeeg[k][c])) + "–" + Math.round(microvolts(trends.aeeg[k + 1][c]));
        parts.push("aEEG " + range(0) + " µV left, " + range(2) + " right");
        const rhythm = trends.rhythm.map((row) => row[c]), most = rhythm.indexOf(Math.max(...rhythm));
        if (rhythm[most] > LEVELS / 2) parts.push("rhythm " + ((most + 1) / BINS * TOP_HZ).toFixed(1) + " Hz");
        const percent = trends.suppressed.map((row) => Math.round(row[c] / LEVELS * 100));
        if (percent[0] || percent[1]) parts.push("suppressed " + percent[0] + " % left, " + percent[1] + " % right");
      }
      if (lost.length) parts.push("unusable " + lost.join(" "));
    }
    return parts.join(" · ");
  }

  return { unpack, geometry, timeAt, draw, told, ramp, microvolts, share };
})();
