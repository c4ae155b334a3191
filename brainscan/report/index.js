"use strict";
// Sorts and filters the table of a scan. Nothing here makes markup of text; without it the table is whole.
(function () {
  const $ = (id) => document.getElementById(id), body = document.querySelector("#recordings tbody");
  const rows = Array.from(body.rows), heads = Array.from(document.querySelectorAll("#recordings thead th"));
  const FIELDS = ["f-name", "f-burden", "f-quality", "f-doubt", "f-status"];
  const state = { column: -1, down: false };
  const names = new Intl.Collator(undefined, { numeric: true });

  function shown(row) {
    const d = row.dataset, burden = $("f-burden").value, events = Number(d.events);
    return row.cells[0].textContent.toLowerCase().includes($("f-name").value.toLowerCase())
      && (!burden || (burden === "events" ? events > 0 : burden === "flags" ? row.cells[7].textContent !== "" : events === 0 && d.status === "done"))
      && (!$("f-quality").value || d.quality === $("f-quality").value)
      && (!$("f-doubt").checked || Number(d.doubts) > 0)
      && (!$("f-status").value || d.status === $("f-status").value);
  }
  function filter() {
    let n = 0;
    for (const row of rows) { row.hidden = !shown(row); if (!row.hidden) n++; }
    $("shown").textContent = n + " of " + rows.length + " shown";
    keep();
  }
  function sort(column, down) {
    const text = (row) => row.cells[column].textContent.trim(), number = (row) => { const v = parseFloat(text(row)); return Number.isNaN(v) ? -1 : v; };
    const words = [0, 1, 7, 9].includes(column), sign = down ? -1 : 1;
    state.column = column; state.down = down;
    const sorted = rows.slice().sort((a, b) => sign * (words ? names.compare(text(a), text(b)) : number(a) - number(b)));
    body.append(...sorted);
    heads.forEach((th, i) => { if (th.hasAttribute("aria-sort")) th.setAttribute("aria-sort", i === column ? (down ? "descending" : "ascending") : "none"); });
    keep();
  }
  // A page that is loaded again while a scan runs comes back as it was looked at.
  function keep() {
    const held = { ...state, fields: FIELDS.map((id) => ($(id).type === "checkbox" ? $(id).checked : $(id).value)), y: window.scrollY };
    try { sessionStorage.setItem("brainscan index", JSON.stringify(held)); } catch (error) { /* a browser may forbid it */ }
  }
  function restore() {
    try {
      const held = JSON.parse(sessionStorage.getItem("brainscan index") || "null");
      if (!held) return;
      FIELDS.forEach((id, i) => { if ($(id).type === "checkbox") $(id).checked = held.fields[i]; else $(id).value = held.fields[i]; });
      if (held.column >= 0) sort(held.column, held.down);
      window.scrollTo(0, held.y);
    } catch (error) { /* what another version kept */ }
  }
  heads.forEach((th, i) => {
    const button = th.querySelector("button");
    // Numbers first from the largest, words from A.
    if (button) button.addEventListener("click", () => sort(i, state.column === i ? !state.down : ![0, 1, 7, 9].includes(i)));
  });
  for (const id of FIELDS) $(id).addEventListener("input", filter);
  $("filters").addEventListener("reset", () => setTimeout(filter, 0));
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  restore();
  filter();
  if (JSON.parse($("page-data").textContent).running) setTimeout(() => { keep(); location.reload(); }, 30000);
})();
