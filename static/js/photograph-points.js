// Two points on a photograph as handles, moved by pointer or arrow keys. The fields beside it hold them, in % of
// width and height, and work without this script.

const FINE = 0.2;
const COARSE = 2;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const stage = document.querySelector("[data-photo-stage]");
const picture = stage.querySelector("svg");
const held = (share) => Math.min(100, Math.max(0, Math.round(share * 100) / 100));
const number = (input) => Number.parseFloat(input.value.replace(",", "."));

function start(group) {
  const kind = group.dataset.points;
  const line = picture.querySelector(`[data-line="${kind}"]`);
  const inputs = group.dataset.ids.split(" ").map((id) => document.getElementById(id));
  const shares = group.dataset.start.split(" ").map(Number);
  const handles = [group.dataset.first, group.dataset.second].map((name, at) => makeHandle(kind, name, at * 2));
  let isSet = inputs.every((input) => Number.isFinite(number(input)));

  function makeHandle(kindOf, name, at) {
    const handle = document.createElement("button");
    handle.type = "button";
    handle.className = `photo-handle is-${kindOf}`;
    handle.setAttribute("aria-label", `${name}: move it with the arrow keys, with Shift in bigger steps`);
    handle.addEventListener("keydown", (event) => {
      const arrow = ARROWS[event.key];
      if (!arrow) return;
      event.preventDefault();
      const step = event.shiftKey ? COARSE : FINE;
      move(at, shares[at] + arrow[0] * step, shares[at + 1] + arrow[1] * step);
    });
    handle.addEventListener("keyup", (event) => event.key in ARROWS && tell());
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => {
      if (!handle.hasPointerCapture(event.pointerId)) return;
      const box = picture.getBoundingClientRect();
      move(at, ((event.clientX - box.left) / box.width) * 100, ((event.clientY - box.top) / box.height) * 100);
    });
    handle.addEventListener("pointerup", tell);
    stage.append(handle);
    return handle;
  }

  function move(at, x, y) {
    shares[at] = held(x);
    shares[at + 1] = held(y);
    isSet = true;
    inputs.forEach((input, index) => (input.value = shares[index]));
    draw();
  }

  function tell() {
    if (isSet) inputs[0].dispatchEvent(new Event("change", { bubbles: true }));
  }

  function draw() {
    handles.forEach((handle, index) => {
      handle.style.left = `${shares[index * 2]}%`;
      handle.style.top = `${shares[index * 2 + 1]}%`;
    });
    if (!isSet) return;
    const size = [stage.dataset.width, stage.dataset.height];
    ["x1", "y1", "x2", "y2"].forEach((name, index) => line.setAttribute(name, (shares[index] / 100) * size[index % 2]));
  }

  function read() {
    inputs.forEach((input, index) => {
      const typed = number(input);
      if (Number.isFinite(typed)) shares[index] = held(typed);
    });
    isSet = inputs.every((input) => Number.isFinite(number(input)));
    draw();
  }

  inputs.forEach((input) => input.addEventListener("input", read));
  read();
}

document.querySelectorAll("[data-points]").forEach(start);
