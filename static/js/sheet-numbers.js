// Numbers of the session sheet as the server reads and shows them. Nothing here knows the page.

export const ML_PLACES = 3;
// mg/ml has two decimals and ml three, so their product has five: nothing is rounded, as on the server.
export const MG_PLACES = ML_PLACES + 2;
export const MM_PLACES = 2;
const RATE_PLACES = 3;
const AREA_PLACES = 2 * MM_PLACES + 2;

const NUMBER = String.raw`\d+(?:[.,]\d+)?`;
const PLAIN = new RegExp(`^${NUMBER}$`);
const THOUSANDS_OR_DECIMALS = /^[1-9]\d{0,2}[.,]\d{3}$/;
const LONGEST_TEXT = 20;
const BOTH = new RegExp(`^\\s*(${NUMBER})\\s*[xX×*]\\s*(${NUMBER})\\s*(?:mm)?\\s*$`);

// One decimal mark, comma or point. Anything else is no number here; the server says why.
export function number(text) {
  const typed = (text ?? "").trim();
  return PLAIN.test(typed) ? Number(typed.replace(",", ".")) : null;
}

// What the server takes: from `low` to `high` with so many decimals, and no text that has two readings.
function within(text, { low, high, places }) {
  const typed = (text ?? "").trim();
  const value = number(typed);
  if (value === null || typed.length > LONGEST_TEXT || value < low || value > high) return null;
  const [, decimals = ""] = typed.split(/[.,]/);
  if (decimals.replace(/0+$/, "").length > places) return null;
  const withoutMark = Number(typed.replace(/[.,]/, ""));
  return THOUSANDS_OR_DECIMALS.test(typed) && withoutMark >= low && withoutMark <= high ? null : value;
}

export const measureOf = (text) => within(text, { low: 0.01, high: 2000, places: MM_PLACES });
export const volumeOf = (text) => within(text, { low: 0.001, high: 100, places: ML_PLACES });
export const concentrationOf = (text) => within(text, { low: 0.01, high: 1000, places: 2 });
export const drawnOf = (text) => within(text, { low: 0.001, high: 1000, places: ML_PLACES });

// `12x8` as its two texts, or nothing.
export function bothMeasures(text) {
  const found = BOTH.exec(text ?? "");
  return found && [found[1], found[2]];
}

// The sum of binary fractions, without what they add beyond the last decimal.
export function exact(value, places) {
  return Number(value.toFixed(places));
}

export function show(value, places) {
  return String(exact(value, places));
}

// A decimal of so many whole units: 10312500 of 8 places is 0.103125.
function asText(units, places) {
  const digits = String(units).padStart(places + 1, "0");
  const [whole, decimals] = [digits.slice(0, -places), digits.slice(-places).replace(/0+$/, "")];
  return decimals ? `${whole}.${decimals}` : whole;
}

function asUnits(value, places) {
  return BigInt(Math.round(value * 10 ** places));
}

export function areaCm2(longest, widest) {
  return Number(asUnits(longest, MM_PLACES) * asUnits(widest, MM_PLACES)) / 10 ** AREA_PLACES;
}

// mg on each cm², to one decimal, half upwards.
export function mgPerCm2(mg, cm2) {
  const above = asUnits(mg, MG_PLACES) * 10n ** BigInt(AREA_PLACES + 1);
  const below = asUnits(cm2, AREA_PLACES) * 10n ** BigInt(MG_PLACES);
  return asText((2n * above + below) / (2n * below), 1);
}

// The protocol's ml/cm² on a size in mm, held to its maximum in ml: the volume to enter, cut to 0.001 ml,
// and the arithmetic in words. Whole units all the way: a fraction would be cut at the wrong place.
export function volumeByArea(longest, widest, rate, maximum, whose = "") {
  const area = asUnits(longest, MM_PLACES) * asUnits(widest, MM_PLACES);
  const places = AREA_PLACES + RATE_PLACES;
  const volume = area * asUnits(rate, RATE_PLACES);
  const most = maximum === null ? null : asUnits(maximum, ML_PLACES) * 10n ** BigInt(AREA_PLACES);
  const isHeld = most !== null && volume > most;
  const step = 10n ** BigInt(places - ML_PLACES);
  const entered = (isHeld ? most : volume) / step;
  let words = `protocol: ${asText(area, AREA_PLACES)} cm²${whose} × ${show(rate, RATE_PLACES)} ml/cm²`;
  if (isHeld) words += ` = ${asText(volume, places)} ml, held to its maximum`;
  else if (entered * step !== volume) words += ` = ${asText(volume, places)} ml`;
  return { volume: asText(entered, ML_PLACES), isNothing: entered === 0n, words };
}

// A lot number as it is compared: letters and digits only, in small letters.
export function plainLot(lot) {
  return lot.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
}

// What became of each vial: vials of one lot are used up in their order, and what none of them could give
// stands at the last. `injected` is {lot: ml}; a vial is { lot, drawn }.
export function vialUses(vials, injected) {
  const rest = new Map(injected);
  return vials.map((vial, place) => {
    const lot = plainLot(vial.lot);
    const open = rest.get(lot) ?? 0;
    const isLast = !vials.slice(place + 1).some((other) => plainLot(other.lot) === lot);
    const taken = exact(isLast ? open : Math.min(open, vial.drawn), ML_PLACES);
    rest.set(lot, exact(open - taken, ML_PLACES));
    return { ...vial, taken, left: exact(vial.drawn - taken, ML_PLACES) };
  });
}

export function vialWords({ lot, drawn, taken, left }) {
  const start = `${lot || "?"}: ${show(drawn, ML_PLACES)} ml drawn`;
  if (left < 0) return `${start}, ${show(-left, ML_PLACES)} ml too few`;
  return `${start} = ${show(taken, ML_PLACES)} ml injected + ${show(left, ML_PLACES)} ml left over`;
}

export function vialShort({ lot, drawn, taken, left }) {
  if (left < 0) return `${lot || "?"} ${show(-left, ML_PLACES)} ml too few`;
  return `${lot || "?"} ${show(drawn, ML_PLACES)} = ${show(taken, ML_PLACES)} + ${show(left, ML_PLACES)} ml`;
}

// The next mark of a syringe above or below a volume in ml; `step` is the distance of the marks.
export function nextMark(value, step, direction) {
  const marks = (value ?? 0) / step;
  const near = Math.round(marks);
  const isOnMark = Math.abs(marks - near) < 1e-6;
  const next = isOnMark ? near + direction : direction > 0 ? Math.ceil(marks) : Math.floor(marks);
  return exact(Math.max(next, 0) * step, ML_PLACES);
}
