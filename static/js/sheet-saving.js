// Every change of the session sheet is kept on the server while it is typed; nothing is kept in the browser.
// What a colleague typed is put into the fields that were left alone here, told by the event sheet:taken-over.

const form = document.querySelector("[data-sheet]");
const saved = document.querySelector("[data-saved]");
const SAVE_AFTER_MS = 1200;
const TRY_AGAIN_MS = 5000;

let timer = 0;
let waiting = false;
let sending = false;

function tell(message, isTrouble = false) {
  saved.textContent = message;
  saved.classList.toggle("save-trouble", isTrouble);
}

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(keep, milliseconds);
}

async function keep() {
  if (sending) {
    later(SAVE_AFTER_MS);
    return;
  }
  sending = true;
  waiting = false;
  const typed = new FormData(form);
  try {
    const answer = await fetch(form.dataset.saveUrl, {
      method: "POST",
      body: typed,
      credentials: "same-origin",
      redirect: "manual",
    });
    if (answer.status === 409) {
      tell("Not saved: a colleague closed this sheet. Send it to see what differs.", true);
      return;
    }
    if (!answer.ok) throw new Error("not saved");
    const result = await answer.json();
    takeOver(result, typed);
    if (result.conflicts.length) {
      tell(`Saved ${result.saved_at}, but ${result.conflicts[0].by} typed something else in a field of yours. Choose Save to see both.`, true);
    } else if (!waiting) {
      tell(`Saved ${result.saved_at}.`);
    }
  } catch {
    waiting = true;
    tell("Not saved yet: the server does not answer. It is tried again.", true);
    later(TRY_AGAIN_MS);
  } finally {
    sending = false;
  }
}

// The base from which the next save is compared, and what a colleague typed in fields left alone here.
function takeOver(result, typed) {
  const base = form.querySelector("[data-loaded]");
  const loaded = JSON.parse(base.value || "{}");
  const clashing = new Set(result.conflicts.map((conflict) => conflict.name));
  const names = new Set([...Object.keys(loaded), ...Object.keys(result.loaded)]);
  for (const name of names) {
    if (!clashing.has(name)) loaded[name] = result.loaded[name] ?? "";
  }
  base.value = JSON.stringify(loaded);
  for (const [name, change] of Object.entries(result.by_others)) {
    const now = new FormData(form).get(name) ?? "";
    if (now === (typed.get(name) ?? "")) put(name, change.value);
  }
  form.dispatchEvent(new CustomEvent("sheet:taken-over"));
}

function put(name, value) {
  for (const input of form.elements) {
    if (input.name !== name) continue;
    if (input.type === "radio") input.checked = input.value === value;
    else if (input.type === "checkbox") input.checked = Boolean(value);
    else input.value = value;
  }
}

form.addEventListener("input", () => {
  waiting = true;
  tell("Not saved yet.");
  later(SAVE_AFTER_MS);
});
form.addEventListener("focusout", () => {
  if (waiting && !sending) later(0);
});
form.addEventListener("submit", () => {
  clearTimeout(timer);
  waiting = false;
});
form.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") {
    event.preventDefault();
    later(0);
  }
});
window.addEventListener("beforeunload", (event) => {
  if (waiting) event.preventDefault();
});
