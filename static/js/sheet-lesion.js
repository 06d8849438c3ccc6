// One lesion of the session sheet: what stands in its fields, what was there last time, and the acts on it.
// Each act changes fields and says so by the event `input`, which saving and totals listen to.

import { bothMeasures, number } from "./sheet-numbers.js";

export const form = document.querySelector("[data-sheet]");
export const lesions = [...form.querySelectorAll("[data-lesion]")];

// A field of the lesion by its name: longest, widest, volume, pain.
export function cell(lesion, name) {
  return lesion.querySelector(`[data-cell="${name}"]`);
}

// The lesion's own value of an injection field, else the one for all lesions.
export function part(lesion, name) {
  const own = lesion.querySelector(`[data-part$="-${name}"]`);
  const common = form.querySelector(`[data-part="all-${name}"]`);
  return (own?.value.trim() ? own : common) ?? null;
}

export function isGone(lesion) {
  return lesion.querySelector("[data-gone]").checked;
}

export function isConfirmed(lesion) {
  return !isGone(lesion) && Boolean(lesion.querySelector("[data-confirmed]")?.checked);
}

export function yesNo(lesion, key) {
  return [...lesion.querySelectorAll(`[data-yes-no="${key}"] input`)];
}

function chosen(radios) {
  return radios.find((radio) => radio.checked)?.value ?? "";
}

export function isSeen(lesion) {
  const typed = ["longest", "widest"].some((name) => cell(lesion, name).value.trim());
  const answered = ["U", "I"].some((key) => chosen(yesNo(lesion, key)));
  const graded = Boolean(lesion.querySelector("[data-pga] select")?.value);
  return isGone(lesion) || isConfirmed(lesion) || typed || answered || graded;
}

function typedSize(lesion) {
  const texts = ["longest", "widest"].map((name) => cell(lesion, name).value);
  for (const [text, other] of [texts, [...texts].reverse()]) {
    const both = bothMeasures(text);
    if (both) return other.trim() ? [null, null] : both.map(number);
  }
  return texts.map(number);
}

// Longest and widest in mm. Last time's measures count once they are confirmed; `shown` takes them anyway.
export function sizeOf(lesion, { shown = false } = {}) {
  const today = typedSize(lesion);
  if (!shown && !isConfirmed(lesion)) return today;
  const last = [number(lesion.dataset.lastLongest), number(lesion.dataset.lastWidest)];
  return today.map((value, place) => value ?? last[place]);
}

export function isMeasuredToday(lesion) {
  return isConfirmed(lesion) || !typedSize(lesion).includes(null);
}

function changed(input) {
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

export function put(input, value) {
  if (input.value === value) return;
  input.value = value;
  changed(input);
}

function tick(box, checked) {
  if (!box || box.checked === checked) return;
  box.checked = checked;
  changed(box);
}

function choose(radios, value) {
  const radio = radios.find((one) => one.value === value);
  if (!radio || radio.checked) return;
  radio.checked = true;
  changed(radio);
}

// `12x8` in one field becomes the two measures.
export function splitSize(input) {
  const both = bothMeasures(input.value);
  if (!both) return;
  const lesion = input.closest("[data-lesion]");
  put(cell(lesion, "longest"), both[0]);
  put(cell(lesion, "widest"), both[1]);
}

// "Looked at, as last time": takes over what is left empty, so there must be something that is.
export function lookAt(lesion) {
  if (!("mayConfirm" in lesion.dataset) || isGone(lesion)) return;
  const [longest, widest] = typedSize(lesion);
  const last = lesion.dataset;
  const open =
    (longest === null && last.lastLongest) ||
    (widest === null && last.lastWidest) ||
    (!chosen(yesNo(lesion, "U")) && last.lastUlcer) ||
    (!chosen(yesNo(lesion, "I")) && last.lastInflammation) ||
    !isSeen(lesion);
  if (open) tick(lesion.querySelector("[data-confirmed]"), true);
}

export function toggleGone(lesion) {
  const gone = !isGone(lesion);
  if (gone) tick(lesion.querySelector("[data-confirmed]"), false);
  tick(lesion.querySelector("[data-gone]"), gone);
  return gone;
}

export function toggleYes(lesion, key) {
  const radios = yesNo(lesion, key);
  choose(radios, chosen(radios) === "yes" ? "no" : "yes");
}

export function neither(lesion) {
  for (const key of ["U", "I"]) {
    if (!chosen(yesNo(lesion, key))) choose(yesNo(lesion, key), "no");
  }
}

// Not looked at: what was typed stays, a confirmation goes.
export function skip(lesion) {
  tick(lesion.querySelector("[data-confirmed]"), false);
}

// Puts an offered volume in its field; tells whether there was one.
export function takeVolume(lesion, which) {
  const offer = lesion.querySelector(`[data-offer="${which}"]:not([hidden])`);
  if (!offer || isGone(lesion)) return false;
  put(cell(lesion, "volume"), offer.querySelector("[data-offer-ml]").textContent);
  return true;
}
