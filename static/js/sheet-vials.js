// The vials of the visit: what was drawn from each was injected, or is left over. Told while it is typed.

import { cell, form, lesions, part } from "./sheet-lesion.js";
import { ML_PLACES, exact, number, plainLot, show, vialUses, vialWords } from "./sheet-numbers.js";

const rows = [...form.querySelectorAll("[data-vial]")];
const inTheLine = form.querySelector("[data-total-vials]");
const without = form.querySelector("[data-without-vial]");

// {lot: { written, ml }} of what is typed for the lesions.
function injectedByLot() {
  const found = new Map();
  for (const lesion of lesions) {
    const volume = number(cell(lesion, "volume").value);
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
    drawn: number(row.querySelector("[data-drawn]").value),
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
  inTheLine.replaceChildren(...(uses.length ? uses.map(vialWords) : ["none listed"]).map((words) => inSpan(words)));
  if (others.length) inTheLine.append(inSpan(`from none of them: ${others.join(", ")}`, "is-over"));
  const filled = typed.findLastIndex((vial) => vial.lot || vial.row.querySelector("[data-drawn]").value.trim());
  rows.slice(0, filled + 2).forEach((row) => (row.hidden = false));
}

function inSpan(words, className = "") {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = words;
  return span;
}

if (rows.length) {
  form.addEventListener("input", tell);
  form.addEventListener("sheet:taken-over", tell);
  tell();
}
