// The vials of the visit: what was drawn from each was injected, or is left over. Told while it is typed.

import { cell, form, lesions, part } from "./sheet-lesion.js";
import { ML_PLACES, drawnOf, exact, plainLot, show, vialShort, vialUses, vialWords, volumeOf } from "./sheet-numbers.js";

const rows = [...form.querySelectorAll("[data-vial]")];
const inTheLine = form.querySelector("[data-total-vials]");
const without = form.querySelector("[data-without-vial]");

// {lot: { written, ml }} of what is typed for the lesions.
function injectedByLot() {
  const found = new Map();
  for (const lesion of lesions) {
    const volume = volumeOf(cell(lesion, "volume").value);
    const written = part(lesion, "lot_number")?.value.trim() ?? "";
    if (!volume) continue;
    const known = found.get(plainLot(written)) ?? { written, ml: 0 };
    found.set(plainLot(written), { ...known, ml: exact(known.ml + volume, ML_PLACES) });
  }
  return found;
}

function tell() {
  const typed = rows.map((row) => ({
    row,
    lot: row.querySelector("[data-lot]").value.trim(),
    drawn: drawnOf(row.querySelector("[data-drawn]").value),
  }));
  const injected = injectedByLot();
  const uses = vialUses(typed.filter((vial) => vial.drawn), new Map([...injected].map(([lot, { ml }]) => [lot, ml])));
  for (const row of rows) row.querySelector("[data-vial-words]").textContent = "";
  for (const use of uses) {
    const words = use.row.querySelector("[data-vial-words]");
    words.textContent = vialWords(use);
    words.classList.toggle("is-over", use.left < 0);
  }
  const listed = new Set(uses.map((use) => plainLot(use.lot)));
  const others = [...injected].filter(([lot]) => uses.length && !listed.has(lot)).map(([, { written, ml }]) => `${written || "no lot number"} ${show(ml, ML_PLACES)} ml`);
  without.hidden = others.length === 0;
  without.querySelector("span").textContent = others.join(", ");
  inTheLine.replaceChildren(...uses.map((use) => inSpan(vialWords(use), vialShort(use), use.left < 0)));
  if (!uses.length) inTheLine.append(inSpan("none listed"));
  if (others.length) inTheLine.append(inSpan(`from none of them: ${others.join(", ")}`, "", true));
  const filled = typed.findLastIndex((vial) => vial.lot || vial.row.querySelector("[data-drawn]").value.trim());
  rows.slice(0, filled + 2).forEach((row) => (row.hidden = false));
}

// Where there is little room, the short words stand for the long ones.
function inSpan(words, short = "", isOver = false) {
  const span = document.createElement("span");
  if (isOver) span.className = "is-over";
  span.textContent = words;
  if (short) {
    span.dataset.short = short;
    span.title = words;
  }
  return span;
}

if (rows.length) {
  form.addEventListener("input", tell);
  form.addEventListener("sheet:taken-over", tell);
  tell();
}
