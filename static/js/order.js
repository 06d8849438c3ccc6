// A list whose entries are dragged into another order. The arrows beside each entry do the same without this.

const form = document.querySelector("form[data-order]");
const list = form?.querySelector("ol");
const said = form?.querySelector("[data-order-said]");
let held = null;

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
}

function drag(event) {
  if (!held) return;
  const next = below(event.clientY) ?? null;
  if (next !== held.nextElementSibling) list.insertBefore(held, next);
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
