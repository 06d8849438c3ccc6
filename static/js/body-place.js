// Lesions are put and moved on the drawings of the body map: dragged, pointed at, or moved by arrow keys.
// On the form of a lesion its place and the name of it go into the fields; on the body map a lesion that was
// moved, or a new one, leads to its form. Nothing is saved before that form is.

const SVG = "http://www.w3.org/2000/svg";
const DRAG_BEGINS = 5;
const STEP = 2;
const WIDE_STEP = 10;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BESIDE = "beside the body";

const drawings = [...document.querySelectorAll("svg[data-figure]")];
const form = document.querySelector("form[data-place-form]");
const said = document.querySelector("[data-place-said]");
const bar = document.querySelector("form[data-place-bar]");
let putBack = document.querySelector("form[data-put-back]");

let held = null;
let wasDragged = false;
// The marker of the lesion of the form, and the one that was moved and is not kept yet.
let mine = null;
let moved = null;

function placeAt(drawing, clientX, clientY) {
  const point = new DOMPoint(clientX, clientY).matrixTransform(drawing.getScreenCTM().inverse());
  return within({ drawing, x: point.x, y: point.y });
}

function within({ drawing, x, y }) {
  const box = drawing.viewBox.baseVal;
  const clamp = (value, low, size) => Math.round(Math.min(Math.max(value, low), low + size) * 10) / 10;
  return { drawing, x: clamp(x, box.x, box.width), y: clamp(y, box.y, box.height) };
}

function read(text) {
  const [figure, x, y] = (text || "").split(",");
  const drawing = drawings.find((one) => one.dataset.figure === figure);
  return drawing ? { drawing, x: Number(x), y: Number(y) } : null;
}

function written(place) {
  return `${place.drawing.dataset.figure},${place.x},${place.y}`;
}

function areaAt({ drawing, x, y }) {
  const point = drawing.createSVGPoint();
  [point.x, point.y] = [x, y];
  return [...drawing.querySelectorAll(".body-area")].reverse().find((area) => area.isPointInFill(point));
}

function wordsOf(place) {
  return areaAt(place)?.dataset.words ?? BESIDE;
}

// The marker that is moved.

function newMarker(label, place) {
  const marker = document.createElementNS(SVG, "g");
  marker.setAttribute("class", "body-marker is-moved");
  marker.setAttribute("tabindex", "0");
  marker.setAttribute("role", "button");
  marker.innerHTML =
    '<g><circle class="hit" r="14"/><circle class="ring" r="14"/><circle class="dot" r="10.5"/><text></text></g>';
  marker.querySelector("text").textContent = label.length > 3 ? "•" : label;
  const mover = { marker, label, from: null, url: null };
  show(mover, place);
  return mover;
}

function show(mover, place) {
  mover.place = place;
  if (mover.marker.parentNode !== place.drawing) {
    const had = document.activeElement === mover.marker;
    place.drawing.append(mover.marker);
    if (had) mover.marker.focus();
  }
  mover.marker.querySelector("g").setAttribute("transform", `translate(${place.x} ${place.y})`);
  mover.marker.setAttribute("aria-label", `${mover.label}: ${wordsOf(place)}`);
  for (const area of document.querySelectorAll(".body-area.is-here")) area.classList.remove("is-here");
  areaAt(place)?.classList.add("is-here");
}

function move(mover, place) {
  show(mover, within(place));
  moved = mover;
  said.value = `${mover.label}: ${wordsOf(mover.place)}`;
  if (form) fill(mover.place);
  if (bar) offer(mover);
}

function goBack(mover) {
  if (form) {
    for (const field of form.elements) if (field.name in before) restore(field);
    if (mover.from) show(mover, mover.from);
    else takeOff(mover);
  } else {
    takeOff(mover);
    bar.hidden = true;
    mover.link?.focus();
  }
  moved = null;
  said.value = `${mover.label} is back where it was.`;
}

function takeOff(mover) {
  mover.marker.remove();
  mover.link?.classList.remove("is-away");
  for (const area of document.querySelectorAll(".body-area.is-here")) area.classList.remove("is-here");
}

function keep(mover) {
  if (bar) bar.requestSubmit();
  else if (form.checkValidity()) form.requestSubmit();
  else form.querySelector(":invalid:not(fieldset)").focus();
}

// The form of a lesion.

const before = {};

function restore(field) {
  field.value = before[field.name];
}

function fill(place) {
  const { put_at: list, body_site: site, laterality: side, site_detail: detail } = form.elements;
  choose(list, place);
  const area = areaAt(place);
  if (!area) return;
  const middle = Math.abs(place.x - 180) <= Number(form.dataset.midline);
  const isUnpaired = form.dataset.unpaired.split(" ").includes(area.dataset.site);
  site.value = area.dataset.site;
  side.value = middle && isUnpaired ? "midline" : area.dataset.side;
  const parts = [...document.querySelectorAll(".body-area")].map((one) => one.dataset.part);
  if (!detail.value || parts.includes(detail.value)) detail.value = area.dataset.part;
}

function choose(list, place) {
  const value = written(place);
  if (![...list.options].some((option) => option.value === value)) {
    list.querySelector("[data-pointed]")?.remove();
    const option = new Option(`${wordsOf(place)}, where it is put`, value);
    option.dataset.pointed = "";
    list.append(option);
  }
  list.value = value;
}

// The bar under the body map.

function offer(mover) {
  bar.hidden = false;
  bar.action = mover.url;
  bar.elements.put_at.value = written(mover.place);
  bar.querySelector("[data-place-keep]").textContent = mover.link ? `Keep ${mover.label} here` : "Add a lesion here";
}

function takeLesion(link) {
  if (moved && moved.link !== link) goBack(moved);
  if (moved) return moved;
  const { e: x, f: y } = link.querySelector("g").transform.baseVal.consolidate().matrix;
  const mover = newMarker(link.dataset.label, { drawing: link.ownerSVGElement, x, y });
  Object.assign(mover, { link, url: bar.dataset.lesion.replace("0", link.dataset.lesion) });
  link.classList.add("is-away");
  return mover;
}

function putNew(place) {
  if (!bar.dataset.new) return;
  if (moved) goBack(moved);
  const mover = newMarker("+", place);
  mover.label = "New lesion";
  mover.url = bar.dataset.new;
  move(mover, place);
  mover.marker.focus();
}

// Pointer and keys.

function drawingUnder(event) {
  return document.elementFromPoint(event.clientX, event.clientY)?.closest("svg[data-figure]");
}

function takeHold(event) {
  const onMarker = event.target.closest(".body-marker");
  const link = event.target.closest("[data-lesion]");
  if (event.button !== 0 || !onMarker || (!link && onMarker !== chosen()?.marker)) return;
  held = { link, x: event.clientX, y: event.clientY, isDragged: false };
  event.preventDefault();
}

function chosen() {
  return moved ?? mine;
}

function drag(event) {
  if (!held) return;
  if (!held.isDragged && Math.hypot(event.clientX - held.x, event.clientY - held.y) < DRAG_BEGINS) return;
  if (!held.isDragged) {
    held.isDragged = true;
    held.mover = held.link ? takeLesion(held.link) : chosen();
  }
  const drawing = drawingUnder(event);
  if (drawing) move(held.mover, placeAt(drawing, event.clientX, event.clientY));
}

function drop() {
  if (held?.isDragged) {
    held.mover.marker.focus();
    wasDragged = true;
    setTimeout(() => (wasDragged = false));
  }
  held = null;
}

function point(event) {
  if (wasDragged) {
    event.preventDefault();
    return;
  }
  const drawing = event.target.closest("svg[data-figure]");
  if (!drawing || event.target.closest(".body-marker")) return;
  const place = placeAt(drawing, event.clientX, event.clientY);
  if (!form) putNew(place);
  else {
    mine ??= newMarker(form.dataset.label, place);
    move(mine, place);
    mine.marker.focus();
  }
}

function undo(event) {
  // What is typed in a field has an undo of its own.
  if (event.target !== document.body && !event.target.closest("svg[data-figure]")) return;
  if (moved) goBack(moved);
  else if (putBack && !event.repeat) {
    putBack.requestSubmit();
    putBack = null;
  } else return;
  event.preventDefault();
}

function press(event) {
  if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key === "z") undo(event);
  const link = event.target.closest("[data-lesion]");
  const isMover = chosen() && event.target === chosen().marker;
  if (!link && !isMover) return;
  const [across, down] = ARROWS[event.key] ?? [0, 0];
  const turn = { PageUp: -1, PageDown: 1 }[event.key] ?? 0;
  if (across || down || turn) {
    const mover = isMover ? chosen() : takeLesion(link);
    const step = event.shiftKey ? WIDE_STEP : STEP;
    const at = drawings.indexOf(mover.place.drawing);
    const drawing = drawings[(at + turn + drawings.length) % drawings.length];
    const { x, y } = mover.place;
    move(mover, { drawing, x: x + across * step, y: y + down * step });
    mover.marker.focus();
    drawing.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Escape" && moved) goBack(moved);
  else if (event.key === "Enter" && isMover) keep(chosen());
  else return;
  event.preventDefault();
}

if (form) {
  for (const name of ["put_at", "body_site", "laterality", "site_detail"]) before[name] = form.elements[name].value;
  const start = read(form.dataset.start);
  if (start) {
    mine = newMarker(form.dataset.label, start);
    mine.from = start;
  }
  form.elements.put_at.addEventListener("change", (event) => {
    const place = read(event.target.value) ?? read(form.dataset.derived);
    if (!place) return;
    mine ??= newMarker(form.dataset.label, place);
    show(mine, place);
    if (event.target.value) fill(place);
  });
}
if (form || bar) {
  document.addEventListener("pointerdown", takeHold);
  document.addEventListener("pointermove", drag);
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
  document.addEventListener("dragstart", (event) => {
    if (event.target.closest?.("[data-lesion]")) event.preventDefault();
  });
  document.addEventListener("click", point, true);
  document.addEventListener("keydown", press);
  for (const hint of document.querySelectorAll("[data-place-hint]")) hint.hidden = false;
}
if (bar) {
  bar.querySelector("[data-place-back]").addEventListener("click", () => goBack(moved));
  document.querySelector("[data-place-new]")?.addEventListener("click", () => {
    const drawing = drawings.find((one) => one.dataset.figure === "palms");
    putNew({ drawing, x: 100, y: 70 });
    drawing.scrollIntoView({ block: "center" });
  });
}
