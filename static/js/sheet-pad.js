// A number pad for fingers. It does what the keys do: what it cannot type it sends as that key to the field.
// The syringe of 1 ml has a line at each 0.01 ml and a number at each 0.1 ml: the steps go from line to line.

import { form, hasMoreOfLastTime, isGone, isSeen, isSizeTyped, lesions } from "./sheet-lesion.js";
import { ML_PLACES, nextMark, show, volumeOf } from "./sheet-numbers.js";

const PADDED = "[data-cell], [data-drawn], [name=ptga], [name=phga]";
const pad = form.querySelector("[data-pad]");
const key = (name) => pad.querySelector(`[data-key="${name}"]`);

let isTouched = false;
let isOff = false;
let current = null;

function start() {
  if (isOff) return;
  isTouched = true;
  form.classList.add("is-touched");
  // Without this the tablet's own keyboard would cover half of the sheet.
  form.querySelectorAll(PADDED).forEach((input) => (input.inputMode = "none"));
}

function stop() {
  isTouched = false;
  current = null;
  pad.hidden = true;
  form.classList.remove("is-touched");
  document.documentElement.classList.remove("has-pad");
  form.querySelectorAll(PADDED).forEach((input) => (input.inputMode = "decimal"));
}

function whereOf(input, lesion) {
  const name = form.querySelector(`label[for="${input.id}"]`).firstChild.textContent.trim();
  return lesion ? `${lesion.dataset.lesion}, ${name.toLowerCase()}` : name;
}

function offer(lesion, which) {
  const button = lesion?.querySelector(`[data-offer="${which}"]:not([hidden])`);
  const act = key(which);
  act.disabled = !button || isGone(lesion);
  act.textContent = act.disabled ? "–" : `${button.querySelector("[data-offer-ml]").textContent} ml, ${which === "l" ? "last time's" : "protocol's"}`;
}

function paint() {
  if (!current) return;
  const lesion = current.closest("[data-lesion]");
  const column = current.dataset.cell;
  const isSize = column === "longest" || column === "widest";
  pad.querySelector("[data-pad-where]").textContent = whereOf(current, lesion);
  pad.classList.toggle("is-volume", column === "volume");
  pad.querySelectorAll("[data-for=lesion]").forEach((button) => (button.disabled = !lesion));
  pad.querySelectorAll("[data-for=size]").forEach((button) => (button.disabled = !isSize));
  key("Enter").textContent = isSize ? lookWords(lesion) : "Next";
  key("a").disabled = (column !== "volume" && column !== "pain") || lesion === lesions.at(-1);
  offer(lesion, "l");
  offer(lesion, "p");
}

// What the main key takes over of last time, where it does.
function lookWords(lesion) {
  if ("wasGone" in lesion.dataset && !isSeen(lesion)) return "Still gone";
  if (!hasMoreOfLastTime(lesion)) return "Next";
  return isSizeTyped(lesion) ? "Rest as last time" : "As last time";
}

function follow(target) {
  const isPadded = isTouched && target.matches(PADDED);
  current = isPadded ? target : null;
  pad.hidden = !isPadded;
  document.documentElement.classList.toggle("has-pad", isPadded);
  paint();
  // The pad has just covered the lower half, perhaps with the field under it.
  current?.scrollIntoView({ block: "nearest" });
}

// The same as a press of that key; tells whether a script took it.
function press(name) {
  return !current.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
}

function type(sign) {
  if (press(sign)) return;
  const [from, to] = [current.selectionStart, current.selectionEnd];
  const isBack = sign === "Backspace";
  current.setRangeText(isBack ? "" : sign, isBack && from === to ? Math.max(from - 1, 0) : from, to, "end");
  current.dispatchEvent(new Event("input", { bubbles: true }));
}

function step(by) {
  const marks = nextMark(volumeOf(current.value), Math.abs(by), Math.sign(by));
  current.value = marks ? show(marks, ML_PLACES) : "";
  current.dispatchEvent(new Event("input", { bubbles: true }));
}

form.addEventListener("pointerdown", (event) => {
  if (event.target.closest("[data-pad]")) event.preventDefault();
  else if (event.pointerType === "touch") {
    start();
    // Who taps on the field in which they are already gets no focus anew.
    if (event.target === document.activeElement) follow(event.target);
  }
}, true);
form.addEventListener("keydown", (event) => {
  if (isTouched && event.isTrusted) stop();
}, true);
form.addEventListener("focusin", ({ target }) => follow(target));
form.addEventListener("focusout", ({ relatedTarget }) => {
  if (!relatedTarget || !form.contains(relatedTarget)) follow(document.body);
});
form.addEventListener("input", paint);

pad.addEventListener("mousedown", (event) => event.preventDefault());
pad.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button || !current) return;
  if ("padOff" in button.dataset) {
    const field = current;
    isOff = true;
    stop();
    field.blur();
    field.focus();
  } else if (button.dataset.type) type(button.dataset.type);
  else if (button.dataset.step) step(Number(button.dataset.step));
  else press(button.dataset.key);
  current?.scrollIntoView({ block: "nearest" });
});
