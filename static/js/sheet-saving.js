// Keeps what is typed on the server, field by field, and says truthfully whether it is there. Nothing of it is
// kept in the browser. What colleagues type comes in by looking every few seconds; what was put into the page
// that way is told by the event sheet:taken-over, and every field of which the server told how it stands by
// sheet:stands.

import { hideClash, say, showChanges, showClash, showCompany } from "./sheet-company.js";
import { focus, form, label, loaded, noteLoaded, put, texts, textsAsShown } from "./sheet-fields.js";
import { Ledger } from "./sheet-ledger.js";
import { ask } from "./sheet-server.js";

const SAVE_AFTER_MS = 700;
// Who types on and on is saved all the same.
const SAVE_AT_LATEST_MS = 1500;
const TRY_AGAIN_MS = [1000, 2000, 3000];
const LOOK_EVERY_MS = 3000;
const LOOK_SELDOM_MS = 10_000;
const BUSY_FOR_MS = 60_000;

// Where the page cannot show a text as it was kept, what it shows counts as kept until somebody changes it.
const ledger = new Ledger({ ...loaded, ...Object.fromEntries(textsAsShown()) }, Number(form.dataset.version));
const status = document.querySelector("[data-saved]");

let savedAt = status.dataset.savedAt;
let trouble = "";
let closing = null;
const refused = new Set();
let attempts = 0;
let sending = null;
let timer = 0;
let lookTimer = 0;
let lastTyped = Date.now();
let firstUnsaved = 0;
let hasTyped = false;
let resumedAt = 0;
let company = "";
let isLeaving = false;

// The line that says what is saved

const WHY = {
  away: "no connection. Go on typing; it is sent when the connection is back.",
  error: "the server had an error. Go on typing; it is sent again until it is saved.",
  out: "you are signed out. Sign in again, and it is sent.",
  gone: "this sheet is no longer yours to write.",
};
const NOW = {
  away: "No connection now; go on typing.",
  error: "The server has an error now; go on typing.",
  out: "You are signed out.",
  gone: "This sheet is no longer yours to write.",
};

function sentence(unsaved) {
  const since = savedAt ? `Not saved since ${savedAt}` : "Not saved yet";
  const lost = unsaved.filter((name) => refused.has(name));
  const clashing = unsaved.filter((name) => ledger.clashes.has(name));
  if (unsaved.length > lost.length + clashing.length) return trouble ? `${since}: ${WHY[trouble]}` : "Not saved yet.";
  if (lost.length) return `Not saved: ${label(lost[0])} is no longer on this sheet. Read it again from the server.`;
  const saved = savedAt ? `Saved ${savedAt}` : "Nothing was typed yet";
  if (clashing.length) {
    const what = clashing.length === 1 ? label(clashing[0]) : `${clashing.length} fields`;
    return `${saved}, but not ${what}: somebody else typed something else there. Choose which one stands.`;
  }
  return trouble ? `${saved}. ${NOW[trouble]}` : `${saved}.`;
}

function tell() {
  if (closing) return;
  const unsaved = ledger.unsaved(texts());
  const text = sentence(unsaved);
  const isTrouble = Boolean(trouble) || (unsaved.length > 0 && text !== "Not saved yet.");
  // Spoken when it goes wrong and when it is right again, not with every save.
  if (text !== status.textContent && (isTrouble || status.classList.contains("save-trouble"))) say(text);
  status.textContent = text;
  status.classList.toggle("save-trouble", isTrouble);
}

function tellClosed({ by, at, is_completed: isCompleted, url }) {
  const link = document.createElement("a");
  link.href = url;
  link.textContent = "Read it";
  const unsaved = ledger.unsaved(texts()).length;
  const lost = unsaved ? "Not saved: " : "";
  const what = isCompleted ? "completed this sheet" : "closed this sheet without a session";
  const compare = unsaved ? ", or send yours with Save to see both side by side." : ".";
  status.replaceChildren(`${lost}${by} ${what} at ${at}. What you type here is no longer kept. `, link, compare);
  status.classList.add("save-trouble");
  say(status.textContent);
}

// Sending and looking

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(save, milliseconds);
}

function tryAgain() {
  later(TRY_AGAIN_MS[Math.min(attempts, TRY_AGAIN_MS.length - 1)]);
  attempts += 1;
}

function toSend() {
  const fields = ledger.toSend(texts());
  for (const name of refused) delete fields[name];
  return fields;
}

// One save at a time; one asked for meanwhile follows.
async function save() {
  clearTimeout(timer);
  while (sending) await sending;
  const fields = toSend();
  if (Object.keys(fields).length || trouble) await send(fields);
}

// Gives what others had changed, field by field, or null where nothing was saved.
function send(fields) {
  ledger.noteSent(fields);
  firstUnsaved = 0;
  const answer = ask(form.dataset.saveUrl, { fields: JSON.stringify(fields), since: ledger.version });
  const done = answer.then((result) => {
    if (sending === done) sending = null;
    return take(result, fields);
  });
  sending = done;
  return done;
}

function take(result, fields) {
  let changes = null;
  if (result.kind === "news") {
    trouble = "";
    attempts = 0;
    changes = takeNews(result.news, fields);
    const isSave = Object.keys(fields).length > 0;
    hasTyped ||= isSave;
    for (const name of result.news.refused) refused.add(name);
    const isMoreToSend = Object.keys(toSend()).length > 0;
    if (isSave || !isMoreToSend) savedAt = result.news.at;
    if (isMoreToSend) later(Math.min(SAVE_AFTER_MS, Math.max(0, SAVE_AT_LATEST_MS - (Date.now() - firstUnsaved))));
    document.dispatchEvent(new Event("session:alive"));
  } else if (result.kind === "closed") {
    closing = result.news.closed;
    tellClosed(closing);
  } else if (result.kind === "out" && Date.now() - resumedAt > TRY_AGAIN_MS.at(-1)) {
    trouble = "out";
    document.dispatchEvent(new Event("session:ended"));
  } else {
    trouble = result.kind === "out" ? "error" : result.kind;
    if (trouble !== "gone") tryAgain();
  }
  tell();
  return changes;
}

function takeNews(news, sent) {
  const { toPut, clashes } = ledger.take(news, sent, texts());
  for (const { name, value } of toPut) put(name, value);
  for (const name of Object.keys(news.fields)) noteLoaded(name, ledger.known(name).value);
  if (toPut.length) {
    form.dispatchEvent(new CustomEvent("sheet:taken-over"));
    showChanges(toPut);
  }
  for (const name of clashes) showClashOf(name);
  for (const name of Object.keys(news.fields)) if (!ledger.clashes.has(name)) hideClash(name);
  const names = Object.keys(news.fields);
  if (names.length) form.dispatchEvent(new CustomEvent("sheet:stands", { detail: names }));
  return [...toPut.map(({ name }) => name), ...clashes];
}

// A field came into the page with what stood on the server; gives what is to be shown in it.
export function cameWith(name, value) {
  if (!ledger.standing.has(name)) {
    ledger.stands(name, value, ledger.version);
    noteLoaded(name, value);
  }
  return ledger.known(name).value;
}

export function isKeptAsTyped(name) {
  return !ledger.unsaved(texts()).includes(name);
}

function showClashOf(name) {
  const choose = (isMine) => () => {
    const theirs = ledger.clashes.get(name);
    if (isMine) ledger.keepMine(name);
    else {
      put(name, theirs.value);
      ledger.stands(name, theirs.value, theirs.version);
    }
    noteLoaded(name, theirs.value);
    if (hideClash(name)) focus(name);
    form.dispatchEvent(new CustomEvent("sheet:taken-over"));
    tell();
    later(0);
  };
  showClash(name, ledger.clashes.get(name), texts().get(name), { keepMine: choose(true), takeTheirs: choose(false) });
}

async function look() {
  clearTimeout(lookTimer);
  lookTimer = setTimeout(look, Date.now() - lastTyped < BUSY_FOR_MS ? LOOK_EVERY_MS : LOOK_SELDOM_MS);
  if (document.hidden || sending || closing || isLeaving || trouble === "out" || trouble === "gone") return;
  const result = await ask(form.dataset.watchUrl, {
    since: ledger.version,
    company,
    shown: form.elements.shown.value,
    typed: hasTyped ? "1" : "",
  });
  if (result.kind === "news") {
    company = result.news.company.join(",");
    showCompany(result.news.company);
    takeNews(result.news, {});
  } else if (result.kind === "closed" || result.kind === "out" || result.kind === "gone") {
    take(result, {});
    return;
  }
  const isAway = result.kind === "away" || result.kind === "error";
  if (isAway && !trouble) {
    trouble = result.kind;
    tryAgain();
  }
  if (!isAway && (trouble === "away" || trouble === "error")) {
    trouble = "";
    later(0);
  }
  tell();
}

// What the person does

form.addEventListener("input", () => {
  lastTyped = Date.now();
  const typed = texts();
  for (const [name, theirs] of [...ledger.clashes]) {
    if (typed.get(name) !== theirs.value) showClashOf(name);
    else {
      ledger.stands(name, theirs.value, theirs.version);
      hideClash(name);
    }
  }
  tell();
  if (trouble || closing) return;
  firstUnsaved ||= lastTyped;
  later(Math.min(SAVE_AFTER_MS, Math.max(0, firstUnsaved + SAVE_AT_LATEST_MS - lastTyped)));
});

function saveNow() {
  if (!closing && trouble !== "out" && ledger.unsaved(texts()).length) save();
}

form.addEventListener("focusout", saveNow);
form.addEventListener("change", saveNow);
form.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    saveNow();
  }
});

// The whole page is sent only when all that was typed is saved and the server answers: otherwise the browser
// would leave this page for an error.
form.addEventListener("submit", async (event) => {
  if (isLeaving || closing) {
    isLeaving = true;
    return;
  }
  event.preventDefault();
  const { submitter } = event;
  if (form.hasAttribute("aria-busy")) return;
  form.setAttribute("aria-busy", "true");
  while (sending) await sending;
  const changes = await send(toSend());
  form.removeAttribute("aria-busy");
  if (!changes) {
    if (closing) submitAs(submitter);
    else say(`Not sent. ${status.textContent}`);
    return;
  }
  const [clash] = ledger.clashes.keys();
  if (clash || changes.length) {
    focus(clash ?? changes[0]);
    return;
  }
  if (!ledger.unsaved(texts()).length) submitAs(submitter);
});

function submitAs(submitter) {
  isLeaving = true;
  form.requestSubmit(submitter);
}

addEventListener("beforeunload", (event) => {
  if (!isLeaving && ledger.unsaved(texts()).length) event.preventDefault();
});

// The last chance: what is sent now arrives though the page goes.
function saveBeforeItIsTooLate() {
  const fields = toSend();
  if (!closing && !isLeaving && Object.keys(fields).length) send(fields);
}

addEventListener("pagehide", saveBeforeItIsTooLate);
addEventListener("pageshow", () => (isLeaving = false));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) saveBeforeItIsTooLate();
  else comeBack();
});
addEventListener("online", comeBack);
document.addEventListener("session:resumed", () => {
  resumedAt = Date.now();
  trouble = "";
  comeBack();
});

function comeBack() {
  if (closing || trouble === "out" || trouble === "gone") return;
  attempts = 0;
  save();
  look();
}

// A page that shows what a colleague typed in a field of one's own lets one choose at once.
for (const note of document.querySelectorAll("[data-conflict]")) {
  const { name, theirs, by, version } = note.dataset;
  ledger.standing.set(name, { value: theirs, version: Number(version) });
  ledger.clashes.set(name, { value: theirs, version: Number(version), by, is_mine: false });
  note.remove();
  showClashOf(name);
}

saveNow();
look();
