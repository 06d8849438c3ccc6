// Doses, offered volumes and totals of the session sheet follow while it is typed. The server adds up everything again.

import { cell, form, isConfirmed, isGone, isMeasuredToday, isSeen, isSizeTyped, lesions, part, sizeOf } from "./sheet-lesion.js";
import { MG_PLACES, ML_PLACES, MM_PLACES, areaCm2, concentrationOf, exact, mgPerCm2, number, show, volumeByArea, volumeOf } from "./sheet-numbers.js";

const totals = form.querySelector("[data-totals]");
const showsDose = "showsDose" in totals.dataset;
const mlPerCm2 = number(totals.dataset.mlPerCm2);
const maxMlLesion = number(totals.dataset.maxMlLesion);
const maxMl = number(totals.dataset.maxMl);
const maxMg = number(totals.dataset.maxMg);

function text(selector, value) {
  const node = totals.querySelector(selector);
  if (node && node.textContent !== String(value)) node.textContent = value;
}

function paint(lesion) {
  lesion.classList.toggle("is-gone", isGone(lesion));
  lesion.classList.toggle("is-confirmed", isConfirmed(lesion));
  const confirm = lesion.querySelector("[data-confirm-words]");
  if (confirm) confirm.textContent = isSizeTyped(lesion) ? "Rest as last time" : "As last time";
  const [nowLongest, nowWidest] = isGone(lesion) ? [] : sizeOf(lesion);
  const isWider = Boolean(nowLongest && nowWidest && nowWidest > nowLongest);
  const wider = lesion.querySelector("[data-wider]");
  if (isWider) wider.textContent = `Wider than the longest measure, ${show(nowLongest, MM_PLACES)} mm.`;
  wider.hidden = !isWider;
  const offer = lesion.querySelector('[data-offer="p"]');
  if (!offer) return;
  const [longest, widest] = sizeOf(lesion, { shown: true });
  const known = longest && widest && !isGone(lesion);
  const whose = isMeasuredToday(lesion) ? "" : " (last size)";
  const made = known ? volumeByArea(longest, widest, mlPerCm2, maxMlLesion, whose) : null;
  offer.hidden = !made || made.isNothing;
  offer.querySelector("[data-offer-ml]").textContent = made?.volume ?? "";
  offer.querySelector("[data-offer-words]").textContent = made?.words ?? "";
}

// What of one solution is injected: its concentration in mg/ml, and what tells it from another.
function solutionOf(lesion) {
  const agent = part(lesion, "agent")?.value || "sts";
  const concentration = agent === "saline" ? 0 : concentrationOf(part(lesion, "concentration_mg_ml")?.value);
  return { agent, concentration, key: `${agent} ${concentration} ${part(lesion, "salt_form")?.value ?? ""}` };
}

function solutionWords(lesion, { agent, concentration }) {
  const technique = part(lesion, "technique");
  const where = technique?.value ? technique.selectedOptions[0].text.toLowerCase() : "";
  const strength = showsDose && agent !== "saline" && concentration ? `× ${show(concentration, 2)} mg/ml` : "";
  return [strength, where].filter(Boolean).join(", ");
}

function addUp() {
  const sum = { injected: 0, ml: 0, mg: 0, mgKnown: true, area: 0, areaMg: 0, areaMgKnown: true, measured: 0 };
  const solutions = new Map();
  const regions = new Map();
  const passed = [];
  for (const lesion of lesions) {
    paint(lesion);
    const field = cell(lesion, "volume");
    if (!field) continue;
    const volume = volumeOf(field.value);
    const dose = lesion.querySelector("[data-dose]");
    const solution = solutionOf(lesion);
    lesion.querySelector("[data-solution]").textContent = solutionWords(lesion, solution);
    dose.textContent = "";
    if (!volume) continue;
    sum.injected += 1;
    sum.ml += volume;
    const region = lesion.dataset.region;
    regions.set(region, exact((regions.get(region) ?? 0) + volume, ML_PLACES));
    if (maxMlLesion !== null && volume > maxMlLesion) passed.push(`above ${show(maxMlLesion, ML_PLACES)} ml in ${lesion.dataset.lesion}`);
    if (!showsDose) continue;
    solutions.set(solution.key, (solutions.get(solution.key) ?? 0) + volume);
    const mg = solution.concentration === null ? null : solution.concentration * volume;
    const [longest, widest] = isGone(lesion) ? [null, null] : sizeOf(lesion);
    if (longest && widest) {
      sum.measured += 1;
      sum.area += areaCm2(longest, widest);
      sum.areaMg += mg ?? 0;
      sum.areaMgKnown &&= mg !== null;
    }
    if (mg === null) {
      sum.mgKnown = false;
    } else {
      sum.mg += mg;
      dose.textContent = solution.agent === "saline" ? "saline" : `= ${show(mg, MG_PLACES)} mg`;
    }
  }
  for (const [region, volume] of regions) {
    if (maxMl !== null && volume > maxMl) passed.push(`above ${show(maxMl, ML_PLACES)} ml in ${region}`);
  }
  if (showsDose && maxMg !== null && exact(sum.mg, MG_PLACES) > maxMg) passed.push(`above ${show(maxMg, MG_PLACES)} mg`);
  tell(sum, solutions, passed);
}

function tell(sum, solutions, passed) {
  let syringes = 0;
  for (const volume of solutions.values()) syringes += Math.ceil(exact(volume, ML_PLACES));
  const density = sum.area > 0 && sum.areaMgKnown ? mgPerCm2(sum.areaMg, sum.area) : "";
  text("[data-total-seen]", lesions.filter(isSeen).length);
  text("[data-total-lesions]", sum.injected || "–");
  text("[data-total-ml]", sum.injected ? show(sum.ml, ML_PLACES) : "–");
  text("[data-total-mg]", sum.injected && sum.mgKnown ? show(sum.mg, MG_PLACES) : "–");
  text("[data-total-density]", density || "–");
  text("[data-total-measured]", density && sum.measured < sum.injected ? `, ${sum.measured} measured` : "");
  text("[data-total-syringes]", sum.injected ? syringes : "–");
  text("[data-passed]", passed.join(", "));
  totals.querySelector("[data-limit]")?.classList.toggle("is-over", passed.length > 0);
}

form.addEventListener("input", addUp);
form.addEventListener("sheet:taken-over", addUp);
addUp();
