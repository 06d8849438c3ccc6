// Warns one minute before the session ends, keeps it alive on request, and covers the page when it is over.
//
// The server counts from its last answer to any tab, so the tabs share that moment (a time, nothing else)
// in localStorage. Typing counts as being there: it renews the session quietly, so that nobody who is
// filling a long sheet is signed out. After the end the page is covered and nothing on it is touched; the same
// user signs in again over it and goes on. Other scripts tell `session:alive` when the server answered, and
// `session:ended` when it wanted a sign-in; they are told `session:resumed`.

import { isOwner, setToken, signInAgain, whoIsSignedIn } from "./sign-in-again.js";

const WARN_MS = 60_000;
const QUIET_MS = 60_000;
const HANDS_REST_MS = 1000;
const KEY = "stsclinic.seen";
const OVER = "over";

const body = document.body;
const idleMs = Number(body.dataset.idleSeconds) * 1000;
const dialog = document.querySelector("[data-idle-dialog]");

let seenHere = Date.now();
let renewing = false;
let over = false;
let lastKey = 0;

function remember(value) {
  try {
    localStorage.setItem(KEY, String(value));
  } catch {
    return; // without storage this tab counts for itself
  }
}

function recall() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function seen() {
  seenHere = Date.now();
  remember(seenHere);
}

function lastSeen() {
  return Math.max(seenHere, Number(recall()) || 0);
}

function token() {
  return document.querySelector("input[name=csrfmiddlewaretoken]")?.value ?? "";
}

function part(name) {
  return dialog.querySelector(`[data-idle-${name}]`);
}

function say(name, text) {
  if (part(name).textContent !== text) part(name).textContent = text;
}

// Which of the dialog's parts are shown: `stay` before the end; `form` after it, or `other` in another's session.
function show(shown) {
  for (const name of ["stay", "form", "other"]) part(name).hidden = name !== shown;
}

function open() {
  if (!dialog.open) dialog.showModal();
}

function showWarning(seconds) {
  if (!dialog.open) {
    say("title", "You will be signed out soon");
    show("stay");
    open();
  }
  say("text", `You will be signed out in ${seconds} second${seconds === 1 ? "" : "s"}. What you typed stays on this page.`);
  // Spoken once at the start and then every fifteen seconds, not every second.
  if (seconds % 15 === 0) say("spoken", `You will be signed out in ${seconds} seconds.`);
}

function cover() {
  over = true;
  body.classList.add("is-covered");
  dialog.classList.add("is-over");
  say("spoken", "");
  open();
}

function askToSignIn(trouble = "") {
  cover();
  say("title", "You are signed out");
  say("text", "Nothing that you typed on this page is lost. Sign in again to go on where you were.");
  say("error", trouble);
  show("form");
  part("password").value = "";
  part("password").focus();
}

function refuse(name) {
  cover();
  const owner = body.dataset.userName;
  say("title", `This page is ${owner}'s`);
  say(
    "text",
    `${name} is signed in in this browser now. What ${owner} typed here is not sent under another name:` +
      ` ask ${owner} to sign in again, or open the page as yourself.`
  );
  show("other");
}

function hide() {
  over = false;
  body.classList.remove("is-covered");
  dialog.classList.remove("is-over");
  if (dialog.open) dialog.close();
}

function resume(newToken) {
  setToken(newToken);
  seen();
  hide();
  document.dispatchEvent(new Event("session:resumed"));
}

function end() {
  if (over) return;
  remember(OVER);
  askToSignIn();
}

async function keepAlive({ quiet }) {
  if (renewing) return;
  renewing = true;
  try {
    const answer = await fetch(body.dataset.keepAliveUrl, {
      method: "POST",
      headers: { "X-CSRFToken": token(), "X-Requested-With": "XMLHttpRequest" },
      credentials: "same-origin",
      redirect: "manual",
    });
    if (answer.ok) {
      seen();
      hide();
    } else {
      await lookAgain();
    }
  } catch {
    if (!quiet) say("text", "The server cannot be reached, so your session could not be kept. Try again.");
  } finally {
    renewing = false;
  }
}

// Goes on where the same user is signed in, whoever did it and in whichever tab.
async function lookAgain() {
  try {
    const who = await whoIsSignedIn();
    if (isOwner(who)) resume(who.token);
    else if (who.person !== null) refuse(who.name);
    else if (!over) end();
    // Where the password is being typed already, nothing is emptied.
    else if (part("form").hidden) askToSignIn();
  } catch {
    if (over) say("error", "The server cannot be reached. Nothing that you typed is lost; try again.");
  }
}

// Nobody is interrupted in the middle of a word, whose rest would go into the dialogue instead of the page.
function endWhenHandsRest() {
  const left = lastKey + HANDS_REST_MS - Date.now();
  if (left > 0) setTimeout(endWhenHandsRest, left);
  else lookAgain();
}

const SENTENCE = {
  wrong: "The password is wrong. Nothing that you typed is lost; try again.",
  paused: "Sign-in is paused: there were too many attempts with a wrong password. Wait ten minutes, then try again.",
};

async function signIn(event) {
  event.preventDefault();
  const button = part("form").querySelector("button");
  button.disabled = true;
  try {
    const { result, who } = await signInAgain(part("password").value);
    if (result === "in") resume(who.token);
    else if (result === "other") refuse(who.name);
    else askToSignIn(SENTENCE[result]);
  } catch {
    say("error", "The server cannot be reached. Nothing that you typed is lost; try again.");
  } finally {
    button.disabled = false;
  }
}

function tick() {
  if (over) return;
  if (recall() === OVER) {
    askToSignIn();
    return;
  }
  const left = lastSeen() + idleMs - Date.now();
  if (left <= 0) end();
  else if (left <= WARN_MS) showWarning(Math.ceil(left / 1000));
  else if (dialog.open) hide();
}

function typed() {
  lastKey = Date.now();
  if (over || dialog.open) return;
  if (Date.now() - lastSeen() > Math.max(QUIET_MS, idleMs / 3)) keepAlive({ quiet: true });
}

if (idleMs > 0 && dialog) {
  seen();
  dialog.addEventListener("cancel", (event) => over && event.preventDefault());
  dialog.addEventListener("close", () => {
    if (over) dialog.showModal();
    else if (lastSeen() + idleMs - Date.now() <= WARN_MS) keepAlive({ quiet: false });
  });
  part("stay").addEventListener("click", () => keepAlive({ quiet: false }));
  part("form").addEventListener("submit", signIn);
  part("check").addEventListener("click", lookAgain);
  for (const kind of ["input", "keydown", "pointerdown"]) {
    document.addEventListener(kind, typed, { passive: true });
  }
  document.addEventListener("session:alive", seen);
  document.addEventListener("session:ended", endWhenHandsRest);
  document.body.addEventListener("htmx:afterRequest", (event) => event.detail.successful && seen());
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    if (over) lookAgain();
    else tick();
  });
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, 1000);
} else if (body.hasAttribute("data-signed-out")) {
  remember(OVER);
}
