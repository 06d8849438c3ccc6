// The session sheet while it is typed: doses and totals follow, and every change is kept on the server.
// The server checks and adds up everything again; nothing is kept in the browser.

const form = document.querySelector("[data-sheet]");
const totals = form.querySelector("[data-totals]");
const saved = document.querySelector("[data-saved]");
const SAVE_AFTER_MS = 1200;
const TRY_AGAIN_MS = 5000;

// A number as the server reads it: one decimal mark, comma or point. Anything else is no number here.
function number(text) {
  const typed = (text ?? "").trim();
  return /^\d+([.,]\d+)?$/.test(typed) ? Number(typed.replace(",", ".")) : null;
}

const ML_PLACES = 3;
// mg/ml has two decimals and ml three, so their product has five: nothing is rounded, as on the server.
const MG_PLACES = ML_PLACES + 2;

// The sum of binary fractions, without what they add beyond the last decimal.
function exact(value, places) {
  return Number(value.toFixed(places));
}

function show(value, places) {
  return String(exact(value, places));
}

function text(selector, value) {
  const node = totals.querySelector(selector);
  if (node) node.textContent = value;
}

function part(lesion, name) {
  const own = lesion.querySelector(`[data-part$="-${name}"]`);
  const common = form.querySelector(`[data-part="all-${name}"]`);
  return own?.value.trim() || common?.value.trim() || "";
}

function addUp() {
  let lesions = 0;
  let ml = 0;
  let mg = 0;
  let mgKnown = true;
  const solutions = new Map();
  const regions = new Map();
  const over = [];
  const maxLesion = number(totals.dataset.maxMlLesion);
  for (const lesion of form.querySelectorAll("[data-lesion]")) {
    lesion.classList.toggle("is-gone", lesion.querySelector("[data-gone]").checked);
    const volumeInput = lesion.querySelector("[data-volume]");
    if (!volumeInput) continue;
    const volume = number(volumeInput.value);
    const dose = lesion.querySelector("[data-dose]");
    dose.textContent = "";
    if (!volume) continue;
    lesions += 1;
    ml += volume;
    const region = lesion.dataset.region;
    regions.set(region, exact((regions.get(region) ?? 0) + volume, ML_PLACES));
    if (maxLesion !== null && volume > maxLesion) over.push(`above ${show(maxLesion, ML_PLACES)} ml per lesion`);
    if (!("showsDose" in totals.dataset)) continue;
    const agent = part(lesion, "agent") || "sts";
    const concentration = agent === "saline" ? 0 : number(part(lesion, "concentration_mg_ml"));
    const solution = `${agent} ${concentration} ${part(lesion, "salt_form")}`;
    solutions.set(solution, (solutions.get(solution) ?? 0) + volume);
    if (concentration === null) {
      mgKnown = false;
    } else {
      mg += concentration * volume;
      dose.textContent = agent === "saline" ? "saline" : `= ${show(concentration * volume, MG_PLACES)} mg`;
    }
  }
  ml = exact(ml, ML_PLACES);
  mg = exact(mg, MG_PLACES);
  const maxMl = number(totals.dataset.maxMl);
  const maxMg = number(totals.dataset.maxMg);
  for (const [region, volume] of regions) {
    if (maxMl !== null && volume > maxMl) over.push(`above ${show(maxMl, ML_PLACES)} ml in ${region}`);
  }
  if ("showsDose" in totals.dataset && maxMg !== null && mg > maxMg) over.push(`above ${show(maxMg, MG_PLACES)} mg per visit`);
  let syringes = 0;
  for (const volume of solutions.values()) syringes += Math.ceil(exact(volume, ML_PLACES));
  text("[data-total-lesions]", lesions || "–");
  text("[data-total-ml]", lesions ? show(ml, ML_PLACES) : "–");
  text("[data-total-mg]", lesions && mgKnown ? show(mg, MG_PLACES) : "–");
  text("[data-total-syringes]", lesions ? syringes : "–");
  const limit = totals.querySelector("[data-limit]");
  if (limit) {
    limit.hidden = over.length === 0;
    limit.textContent = over.length ? `The protocol's limit: ${[...new Set(over)].join(", ")}` : "";
  }
}

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
  addUp();
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
  addUp();
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

addUp();
