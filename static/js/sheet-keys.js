// The whole session sheet by keyboard: Enter and arrows as in a spreadsheet, letters for what is seen of a lesion.
// The letters count in number fields, radio buttons and ticks of a lesion, never where a text is written.
// Escape is left alone: it discards nothing.

import {
  afterGone,
  bringBack,
  cell,
  form,
  isGone,
  lesions,
  lookAt,
  neither,
  put,
  skip,
  splitSize,
  takeVolume,
  toggleGone,
  toggleYes,
} from "./sheet-lesion.js";
import { ML_PLACES, nextMark, show, volumeOf } from "./sheet-numbers.js";

const COLUMNS = ["longest", "widest", "volume", "pain"];
const ASKS_PAIN = "asksPain" in form.dataset;

function go(target) {
  if (!target) return;
  target.focus();
  target.select?.();
}

const lesionOf = (target) => target.closest("[data-lesion]");
const first = (lesion) => lesion && cell(lesion, "longest");

function neighbour(lesion, step) {
  return lesions[lesions.indexOf(lesion) + step];
}

function field(name) {
  return form.elements.namedItem(name);
}

// After the last lesion comes what follows the visit; before the first, what stands before it.
function nextLesion(lesion) {
  go(first(neighbour(lesion, 1)) ?? field("phga") ?? field("note"));
}

const STOPS = ["asked", "held_on", "ptga", "all-concentration_mg_ml", "all-lot_number"];

// What is asked for before the lesions, passed by where it is filled.
function nextOfVisit() {
  for (const name of STOPS.slice(1)) {
    const input = field(name);
    if (input && !input.value && input.compareDocumentPosition(document.activeElement) & Node.DOCUMENT_POSITION_PRECEDING) {
      go(input);
      return;
    }
  }
  go(first(lesions[0]) ?? field("phga"));
}

// The lesion was looked at; its volume comes next, then the next lesion.
function enterLesion(target) {
  const lesion = lesionOf(target);
  const column = target.dataset.cell;
  const volume = cell(lesion, "volume");
  if (column === "volume") {
    afterVolume(lesion);
    return;
  }
  if (column === "pain") {
    nextLesion(lesion);
    return;
  }
  const widest = cell(lesion, "widest");
  const halfMeasured = column === "longest" && target.value.trim() && !widest.value && !widest.placeholder;
  if (halfMeasured) {
    go(widest);
    return;
  }
  lookAt(lesion);
  const grade = lesion.querySelector("[data-pga] select");
  if (grade && !grade.value && grade !== target && !isGone(lesion)) go(grade);
  else if (volume && !isGone(lesion)) go(volume);
  else nextLesion(lesion);
}

function afterVolume(lesion) {
  const pain = cell(lesion, "pain");
  if (ASKS_PAIN && !pain.value) go(pain);
  else nextLesion(lesion);
}

function take(lesion, which, column) {
  if (!takeVolume(lesion, which)) return;
  if (column !== "volume" && column !== "pain") lookAt(lesion);
  afterVolume(lesion);
}

// This lesion is done, and the next was looked at too: as last time, with its volume.
function nextAsLastTime(lesion, column) {
  const next = neighbour(lesion, 1);
  if ((column !== "volume" && column !== "pain") || !next) return;
  lookAt(next);
  if (isGone(next)) nextLesion(next);
  else if (takeVolume(next, "l")) afterVolume(next);
  else go(cell(next, "volume"));
}

// From mark to mark of the syringe.
function step(target, by) {
  const marks = nextMark(volumeOf(target.value), Math.abs(by), Math.sign(by));
  put(target, marks ? show(marks, ML_PLACES) : "");
}

const STEPS = { "+": 0.01, "-": -0.01 };

const LETTERS = {
  g: (lesion) => toggleGone(lesion) && nextLesion(lesion),
  u: (lesion) => toggleYes(lesion, "U"),
  i: (lesion) => toggleYes(lesion, "I"),
  n: (lesion) => neither(lesion),
  s: (lesion) => skip(lesion) && nextLesion(lesion),
  a: (lesion, column) => nextAsLastTime(lesion, column),
  l: (lesion, column) => take(lesion, "l", column),
  p: (lesion, column) => take(lesion, "p", column),
};

function move(event, target) {
  const lesion = lesionOf(target);
  const column = target.dataset.cell;
  const { key, shiftKey } = event;
  if (!column || shiftKey) return false;
  if (key === "ArrowUp" || key === "ArrowDown") {
    const other = neighbour(lesion, key === "ArrowUp" ? -1 : 1);
    if (!other) return false;
    go(cell(other, column));
    return true;
  }
  const isAll = target.selectionEnd - target.selectionStart === target.value.length;
  const atEdge = isAll || target.selectionStart === target.selectionEnd;
  const left = key === "ArrowLeft" && atEdge && (isAll || target.selectionStart === 0);
  const right = key === "ArrowRight" && atEdge && (isAll || target.selectionEnd === target.value.length);
  if (!left && !right) return false;
  const other = COLUMNS.filter((name) => cell(lesion, name))[COLUMNS.indexOf(column) + (right ? 1 : -1)];
  if (!other) return false;
  go(cell(lesion, other));
  return true;
}

function inLesion(event, target) {
  if (target.closest(".sheet-own") || target.matches("button, summary")) return false;
  if (event.key === "Enter") {
    if (event.shiftKey) go(cell(neighbour(lesionOf(target), -1) ?? lesionOf(target), target.dataset.cell ?? "longest"));
    else enterLesion(target);
    return true;
  }
  if (target.matches("select")) return false;
  if (event.key in STEPS && target.dataset.cell === "volume") {
    step(target, STEPS[event.key]);
    return true;
  }
  const act = LETTERS[event.key.toLowerCase()];
  if (act) {
    if (target.dataset.cell) splitSize(target);
    act(lesionOf(target), target.dataset.cell);
    return true;
  }
  return move(event, target);
}

// A score of 1 to 10 by one key, which goes on; 1 waits, since 10 may follow, and 0 is 10.
function inScore(event, target) {
  if (!/^[0-9]$/.test(event.key)) return false;
  const isEmpty = !target.value || target.selectionEnd - target.selectionStart === target.value.length;
  if (isEmpty && event.key === "1") return false;
  if (isEmpty) target.value = event.key === "0" ? "10" : event.key;
  else if (target.value === "1" && event.key === "0") target.value = "10";
  else return false;
  target.dispatchEvent(new Event("input", { bubbles: true }));
  onward(target);
  return true;
}

function onward(target) {
  if (target.name === "phga" && form.classList.contains("is-touched")) target.blur();
  else if (target.name === "phga") go(field("note"));
  else if (STOPS.includes(target.name)) nextOfVisit();
  else nextIn(target);
}

// The next field that is typed in, without a jump.
function nextIn(target) {
  const fields = [...form.elements].filter((one) => one.matches("input:not([type=hidden]), select, textarea") && one.checkVisibility());
  const next = fields[fields.indexOf(target) + 1];
  go(next && lesionOf(next) ? first(lesionOf(next)) : next);
}

function inVisit(event, target) {
  if (target.closest("[data-asked]") && "nr".includes(event.key.toLowerCase())) {
    const answer = event.key.toLowerCase() === "n" ? "nothing" : "reported";
    const radio = form.querySelector(`[name=asked][value=${answer}]`);
    radio.checked = true;
    radio.dispatchEvent(new Event("input", { bubbles: true }));
    nextOfVisit();
    return true;
  }
  if (target.matches("[name=ptga], [name=phga]") && inScore(event, target)) return true;
  if (event.key !== "Enter" || target.matches("button, textarea, summary, a, select")) return false;
  onward(target);
  return true;
}

form.addEventListener("keydown", (event) => {
  const { target } = event;
  if (event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    form.querySelector("[name=action][value=complete]").click();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !target.matches("input, select, textarea, button, summary, a")) return;
  if (lesionOf(target) ? inLesion(event, target) : inVisit(event, target)) event.preventDefault();
});

form.addEventListener("focusout", ({ target }) => {
  if (["longest", "widest"].includes(target.dataset?.cell)) splitSize(target);
});

form.addEventListener("click", ({ target }) => {
  const offer = target.closest("[data-offer]");
  if (offer) takeVolume(lesionOf(offer), offer.dataset.offer);
  if (target.closest("[data-aside]")) bringBack(lesionOf(target));
});
form.addEventListener("change", ({ target }) => {
  if ("gone" in target.dataset) afterGone(lesionOf(target));
});
form.querySelectorAll("[data-offer]").forEach((offer) => (offer.disabled = false));

// Last time is what was recorded before the day of the visit: another day may have another last time.
const visit = form.querySelector("[data-visit]");
function tellOtherLastTime() {
  const { from, before } = visit.dataset;
  const same = !visit.value || ((!from || visit.value >= from) && (!before || visit.value < before));
  form.querySelector("[data-other-last-time]").hidden = same;
}
visit?.addEventListener("change", tellOtherLastTime);
form.addEventListener("sheet:taken-over", tellOtherLastTime);

form.querySelector("[data-keys]").hidden = false;
const nothingElse = document.activeElement === document.body && !location.hash;
if (nothingElse && matchMedia("(hover: hover) and (pointer: fine)").matches) {
  const stops = form.querySelector("[data-alert].is-stop, [data-alert].is-ask");
  const note = [...form.querySelectorAll("[data-alert] input")].find((input) => !input.value);
  go(stops ?? note ?? form.querySelector("[name=asked]:checked") ?? field("ptga"));
}
