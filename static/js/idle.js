// Warns one minute before the session ends, keeps it alive on request, and says truthfully when it is over.
//
// The server counts from its last answer to any tab, so the tabs share that moment (a time, nothing else)
// in localStorage. Typing counts as being there: it renews the session quietly, so that nobody who is
// filling a long sheet is signed out. After the end the page is covered and nothing on it is touched; when the same
// user has signed in again in another tab, the forms get the new token and can be sent.

const WARN_MS = 60_000;
const QUIET_MS = 60_000;
const KEY = "stsclinic.seen";
const OVER = "over";

const body = document.body;
const idleMs = Number(body.dataset.idleSeconds) * 1000;
const dialog = document.querySelector("[data-idle-dialog]");

let seenHere = Date.now();
let renewing = false;
let over = false;

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

function setToken(value) {
  document.querySelectorAll("input[name=csrfmiddlewaretoken]").forEach((input) => (input.value = value));
  if (body.hasAttribute("hx-headers")) {
    body.setAttribute("hx-headers", JSON.stringify({ "X-CSRFToken": value }));
  }
}

function say(part, text) {
  const node = dialog.querySelector(`[data-idle-${part}]`);
  if (node.textContent !== text) node.textContent = text;
}

function toggle(part, shown) {
  dialog.querySelector(`[data-idle-${part}]`).hidden = !shown;
}

function showWarning(seconds) {
  if (!dialog.open) {
    say("title", "You will be signed out soon");
    toggle("stay", true);
    toggle("again", false);
    toggle("check", false);
    dialog.classList.remove("is-over");
    dialog.showModal();
  }
  say("text", `You will be signed out in ${seconds} second${seconds === 1 ? "" : "s"}. What you typed stays on this page.`);
  // Spoken once at the start and then every fifteen seconds, not every second.
  if (seconds % 15 === 0) say("spoken", `You will be signed out in ${seconds} seconds.`);
}

function showOver() {
  over = true;
  remember(OVER);
  say("title", "You are signed out");
  say(
    "text",
    "Nothing that you typed on this page is lost. Sign in again in a new tab, then come back here and go on."
  );
  say("spoken", "");
  toggle("stay", false);
  toggle("again", true);
  toggle("check", true);
  dialog.classList.add("is-over");
  if (!dialog.open) dialog.showModal();
}

function hide() {
  over = false;
  dialog.classList.remove("is-over");
  if (dialog.open) dialog.close();
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
    } else if (!quiet) {
      showOver();
    }
  } catch {
    if (!quiet) say("text", "The server cannot be reached, so your session could not be kept. Try again.");
  } finally {
    renewing = false;
  }
}

async function comeBack() {
  try {
    const answer = await fetch(body.dataset.homeUrl, { credentials: "same-origin", headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const user = page.body.dataset.user;
    const fresh = page.querySelector("input[name=csrfmiddlewaretoken]")?.value;
    if (!user || !fresh) {
      say("text", "You are not signed in yet. Sign in again in a new tab, then come back here.");
    } else if (user !== body.dataset.user) {
      say("text", "Somebody else is signed in now. What was typed here can only be sent by the user who typed it.");
    } else {
      setToken(fresh);
      seen();
      hide();
    }
  } catch {
    say("text", "The server cannot be reached. Nothing that you typed is lost; try again.");
  }
}

function tick() {
  if (over) return;
  if (recall() === OVER) {
    showOver();
    return;
  }
  const left = lastSeen() + idleMs - Date.now();
  if (left <= 0) showOver();
  else if (left <= WARN_MS) showWarning(Math.ceil(left / 1000));
  else if (dialog.open) hide();
}

function typed() {
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
  dialog.querySelector("[data-idle-stay]").addEventListener("click", () => keepAlive({ quiet: false }));
  dialog.querySelector("[data-idle-check]").addEventListener("click", comeBack);
  for (const kind of ["input", "keydown", "pointerdown"]) {
    document.addEventListener(kind, typed, { passive: true });
  }
  document.body.addEventListener("htmx:afterRequest", (event) => event.detail.successful && seen());
  addEventListener("storage", (event) => {
    if (event.key !== KEY) return;
    if (over && event.newValue !== OVER) comeBack();
    else tick();
  });
  document.addEventListener("visibilitychange", tick);
  setInterval(tick, 1000);
} else if (body.hasAttribute("data-signed-out")) {
  remember(OVER);
}
