// What the alerts say before the needle, asked anew after each save that may change it. A card that is there stays
// as it is: no field loses the focus or what is typed in it.

import { say } from "./sheet-company.js";
import { form } from "./sheet-fields.js";
import { cameWith, isKeptAsTyped } from "./sheet-saving.js";
import { ask } from "./sheet-server.js";

const ASK_AFTER_MS = 300;

const section = form.querySelector("[data-alerts-url]");
const list = section.querySelector("[data-alert-cards]");
const line = form.querySelector("[data-alerts-words]");
const after = new Set(section.dataset.alertsAfter.split(" "));

let timer = 0;
let isAsking = false;
let isStale = false;
let isLeftOver = false;

function later() {
  clearTimeout(timer);
  timer = setTimeout(refresh, ASK_AFTER_MS);
}

async function refresh() {
  isStale = isAsking;
  if (isAsking) return;
  isAsking = true;
  const result = await ask(section.dataset.alertsUrl, {});
  isAsking = false;
  if (result.kind === "news") keepingPlace(() => show(result.news));
  if (isStale) later();
}

// A note that is being written, or is not saved yet, is not taken away.
function mayGo(card) {
  const note = noteOf(card);
  return !card.contains(document.activeElement) && (!note || isKeptAsTyped(note.name));
}

const noteOf = (card) => card.querySelector("input[name]");

function show({ cards, words }) {
  const came = new DOMParser().parseFromString(`<ul>${cards}</ul>`, "text/html").querySelectorAll("[data-alert]");
  const wanted = new Map([...came].map((card) => [card.dataset.alert, card]));
  for (const card of [...list.children]) {
    if (!wanted.has(card.dataset.alert) && mayGo(card)) card.remove();
  }
  isLeftOver = [...list.children].some((card) => !wanted.has(card.dataset.alert));
  const there = new Map([...list.children].map((card) => [card.dataset.alert, card]));
  const added = [];
  let last = null;
  for (const [key, card] of wanted) {
    if (!there.has(key)) {
      if (last) last.after(card);
      else list.prepend(card);
      added.push(card);
      offerAgain(card);
      const note = noteOf(card);
      if (note) note.value = cameWith(note.name, note.value);
    }
    last = there.get(key) ?? card;
  }
  section.hidden = line.hidden = !list.children.length;
  line.querySelector("span").textContent = words;
  if (added.length) say(added.map((card) => wordsOf(card)).join(" "));
}

function wordsOf(card) {
  return `${card.querySelector("h3").textContent.trim().replaceAll(/\s+/g, " ")}.`;
}

function offerAgain(card) {
  const again = card.querySelector("[data-note-again]");
  if (again) again.hidden = false;
}

// Where the browser does not do it: what is looked at stays where it is when cards come above it.
function keepingPlace(change) {
  const spot = document.activeElement;
  const before = spot.getBoundingClientRect().top;
  change();
  if (!CSS.supports("overflow-anchor", "auto") && !section.contains(spot) && spot !== document.body) {
    scrollBy(0, spot.getBoundingClientRect().top - before);
  }
}

list.addEventListener("click", ({ target }) => {
  if (!target.matches("[data-note-again]")) return;
  const note = noteOf(target.closest("[data-alert]"));
  note.value = target.closest(".hint").querySelector("q").textContent;
  note.dispatchEvent(new Event("input", { bubbles: true }));
  note.focus();
  target.closest(".hint").remove();
});

form.addEventListener("sheet:stands", ({ detail: names }) => {
  if (isLeftOver || names.some((name) => after.has(name.split("-").at(-1)))) later();
});
// A drug that was stopped, or a side effect that was recorded on another page.
document.addEventListener("visibilitychange", () => document.hidden || later());
list.addEventListener("focusout", () => isLeftOver && later());

[...list.children].forEach(offerAgain);
