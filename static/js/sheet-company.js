// Who else is on the sheet, what they change, and the choice where two typed different things in one field.

import { label, place, words } from "./sheet-fields.js";

const MARKED_FOR_MS = 8000;
const SHORT = 24;

const line = document.querySelector("[data-company]");
const spoken = document.querySelector("[data-sheet-spoken]");

export function say(text) {
  if (spoken.textContent !== text) spoken.textContent = text;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  made.className = className;
  made.textContent = text;
  return made;
}

export function showCompany(names) {
  const text = names.length ? `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} on this sheet too.` : "";
  if (line.textContent !== text) {
    line.textContent = text;
    line.hidden = !text;
    if (text) say(text);
  }
}

function whoOf({ by, is_mine: isMine }) {
  return isMine ? "you, on another page" : by;
}

// Marks for a moment what somebody else changed.
export function showChanges(changes) {
  for (const change of changes) {
    const box = place(change.name);
    if (!box) continue;
    box.querySelectorAll(".by-colleague, .by-patient").forEach((note) => note.remove());
    if (change.by_patient) box.append(element("span", "last-value by-patient", change.by_patient));
    else box.append(element("span", "by-colleague", `Now by ${whoOf(change)}`));
    box.classList.add("is-by-colleague");
    setTimeout(() => {
      box.classList.remove("is-by-colleague");
      box.querySelector(".by-colleague")?.remove();
    }, MARKED_FOR_MS);
  }
  if (changes.length === 1) {
    const [{ name, value, ...rest }] = changes;
    say(`${whoOf(rest)} changed ${label(name)} to ${words(name, value)}.`);
  } else if (changes.length > 1) {
    say(`${whoOf(changes[0])} changed ${changes.length} fields.`);
  }
}

function choice(text, value, choose) {
  const button = element("button", "btn btn-outline-secondary", value.length > SHORT ? text : `${text}: ${value}`);
  button.type = "button";
  button.addEventListener("click", choose);
  return button;
}

function clashOf(name) {
  return [...document.querySelectorAll(".clash")].find((one) => one.dataset.of === name);
}

// Both texts of a field, to choose from; shown anew while the own one is typed on.
export function showClash(name, theirs, mine, { keepMine, takeTheirs }) {
  const box = place(name);
  if (!box) return;
  const who = whoOf(theirs);
  const [their, own] = [words(name, theirs.value), words(name, mine)];
  const shown = `${theirs.version} ${own}`;
  const old = clashOf(name);
  if (old?.dataset.shown === shown) return;
  const clash = element("div", "clash");
  clash.dataset.shown = shown;
  clash.dataset.of = name;
  clash.setAttribute("role", "group");
  clash.setAttribute("aria-label", `Two texts for ${label(name)}`);
  const both = element("p", "");
  both.append(`${label(name)}: `, element("strong", "", who), " typed ", element("q", "", their), ", you typed ", element("q", "", own), ".");
  const buttons = element("div", "clash-choices");
  buttons.append(
    choice("Keep mine", own, keepMine),
    choice(theirs.is_mine ? "Take the other" : `Take theirs, by ${who}`, their, takeTheirs)
  );
  clash.append(both, buttons);
  if (old) old.replaceWith(clash);
  else (box.closest(".sheet-cells") ?? box).append(clash);
  box.classList.add("has-clash");
  if (!old) say(`${who} typed ${their} in ${label(name)} while you typed ${own}. Choose which one stands.`);
}

export function hideClash(name) {
  const box = place(name);
  const clash = clashOf(name);
  const hadFocus = clash?.contains(document.activeElement);
  clash?.remove();
  box?.querySelectorAll("[data-conflict]").forEach((note) => note.remove());
  box?.classList.remove("has-clash");
  return hadFocus;
}
