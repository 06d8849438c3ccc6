// One lesion of the session sheet: what stands in its fields, what was there last time, and the acts on it.
// Each act changes fields and says so by the event `input`, which saving and totals listen to.

import { bothMeasures, measureOf } from "./sheet-numbers.js";

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
  const answered = ["U", "I"].some((key) => chosen(yesNo(lesion, key)));
  const graded = Boolean(lesion.querySelector("[data-pga] select")?.value);
  return isGone(lesion) || isConfirmed(lesion) || isSizeTyped(lesion) || answered || graded;
}

function typedSize(lesion) {
  const texts = ["longest", "widest"].map((name) => cell(lesion, name).value);
  for (const [text, other] of [texts, [...texts].reverse()]) {
    const both = bothMeasures(text);
    if (both) {
      const measures = other.trim() ? [null, null] : both.map(measureOf);
      return measures.includes(null) ? [null, null] : measures;
    }
  }
  return texts.map(measureOf);
}

// Longest and widest in mm. Last time's measures count once they are confirmed; `shown` takes them anyway.
export function sizeOf(lesion, { shown = false } = {}) {
  const today = typedSize(lesion);
  if (!shown && !isConfirmed(lesion)) return today;
  const last = [measureOf(lesion.dataset.lastLongest), measureOf(lesion.dataset.lastWidest)];
  return today.map((value, place) => value ?? last[place]);
}

export function isSizeTyped(lesion) {
  return ["longest", "widest"].some((name) => cell(lesion, name).value.trim());
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

// What `as last time` would still take over: something that is left empty here and was there last time.
export function hasMoreOfLastTime(lesion) {
  const [longest, widest] = typedSize(lesion);
  const last = lesion.dataset;
  if (!("mayConfirm" in last) || isGone(lesion)) return false;
  return Boolean(
    (longest === null && last.lastLongest) ||
      (widest === null && last.lastWidest) ||
      (!chosen(yesNo(lesion, "U")) && last.lastUlcer) ||
      (!chosen(yesNo(lesion, "I")) && last.lastInflammation) ||
      !isSeen(lesion)
  );
}

// "Looked at, as last time": takes over what is left empty. What was gone is still gone.
export function lookAt(lesion) {
  if (hasMoreOfLastTime(lesion)) tick(lesion.querySelector("[data-confirmed]"), true);
  else if ("wasGone" in lesion.dataset && !isSeen(lesion)) tick(lesion.querySelector("[data-gone]"), true);
}

// What was typed of a lesion that is gone, or was not looked at after all, is set aside and can be brought back.
const aside = new Map();

function radiosOf(lesion) {
  return [yesNo(lesion, "U"), yesNo(lesion, "I")];
}

function setAside(lesion) {
  const cells = ["longest", "widest", "volume", "pain"].map((name) => cell(lesion, name)).filter(Boolean);
  const answers = radiosOf(lesion).map(chosen);
  const typed = cells.filter((input) => input.value.trim()).map((input) => [input, input.value]);
  if (!typed.length && !answers.some(Boolean)) return;
  aside.set(lesion, { typed, answers });
  for (const [input] of typed) put(input, "");
  for (const radios of radiosOf(lesion)) choose(radios, "");
  offerAside(lesion);
}

export function bringBack(lesion) {
  const { typed, answers } = aside.get(lesion) ?? { typed: [], answers: [] };
  aside.delete(lesion);
  for (const [input, value] of typed) if (!input.value.trim()) put(input, value);
  radiosOf(lesion).forEach((radios, place) => answers[place] && !chosen(radios) && choose(radios, answers[place]));
  offerAside(lesion);
}

function offerAside(lesion) {
  const button = lesion.querySelector("[data-aside]");
  const { typed, answers } = aside.get(lesion) ?? {};
  button.hidden = !typed;
  if (!typed) return;
  const words = typed.map(([, value]) => value);
  if (answers[0]) words.push(`ulcer ${answers[0]}`);
  if (answers[1]) words.push(`inflammation ${answers[1]}`);
  button.textContent = `Bring back ${words.join(", ")}`;
}

export function toggleGone(lesion) {
  const gone = !isGone(lesion);
  tick(lesion.querySelector("[data-gone]"), gone);
  afterGone(lesion);
  return gone;
}

// A lesion that is gone has no measures: what was typed of it stands aside for as long as it is.
export function afterGone(lesion) {
  if (isGone(lesion)) {
    tick(lesion.querySelector("[data-confirmed]"), false);
    setAside(lesion);
  } else bringBack(lesion);
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

// Not looked at, and nothing injected; the second time brings back what was typed.
export function skip(lesion) {
  tick(lesion.querySelector("[data-confirmed]"), false);
  if (aside.has(lesion) && !isSeen(lesion)) {
    bringBack(lesion);
    return false;
  }
  setAside(lesion);
  return true;
}

// Puts an offered volume in its field; tells whether there was one.
export function takeVolume(lesion, which) {
  const offer = lesion.querySelector(`[data-offer="${which}"]:not([hidden])`);
  if (!offer || isGone(lesion)) return false;
  put(cell(lesion, "volume"), offer.querySelector("[data-offer-ml]").textContent);
  return true;
}
