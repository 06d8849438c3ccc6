// A list whose entries are dragged into another order. The arrows beside each entry do the same without this.

const form = document.querySelector("form[data-order]");
const list = form?.querySelector("ol");
const said = form?.querySelector("[data-order-said]");
// So near to the edge of the window, in pixels, the page scrolls along, by so many in each picture.
const EDGE = 72;
const STEP = 12;
let held = null;
let at = 0;

function below(y) {
  return [...list.children].find((item) => {
    const box = item.getBoundingClientRect();
    return item !== held && y < box.top + box.height / 2;
  });
}

function take(event) {
  const grip = event.target.closest("[data-order-grip]");
  if (!grip) return;
  held = grip.closest("[data-order-item]");
  held.classList.add("is-held");
  event.preventDefault();
  at = event.clientY;
  requestAnimationFrame(follow);
}

function place() {
  const next = below(at) ?? null;
  if (next !== held.nextElementSibling) list.insertBefore(held, next);
}

function drag(event) {
  if (!held) return;
  at = event.clientY;
  place();
}

// A list that is longer than the window comes by while an entry is held at its edge.
function follow() {
  if (!held) return;
  const by = at < EDGE ? -STEP : at > window.innerHeight - EDGE ? STEP : 0;
  if (by) {
    window.scrollBy(0, by);
    place();
  }
  requestAnimationFrame(follow);
}

function drop() {
  if (!held) return;
  held.classList.remove("is-held");
  said.textContent = `${held.querySelector("strong").textContent} is moved. Save this order to keep it.`;
  held = null;
}

if (list) {
  list.addEventListener("pointerdown", take);
  // An entry that is moved in the list loses the pointer, so the page listens to where it goes.
  document.addEventListener("pointermove", drag);
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
}
