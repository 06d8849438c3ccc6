// Doses and totals of the session sheet follow while it is typed. The server adds up everything again.

const form = document.querySelector("[data-sheet]");
const totals = form.querySelector("[data-totals]");

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

form.addEventListener("input", addUp);
form.addEventListener("sheet:taken-over", addUp);
addUp();
