// A course that is wider than the page is shown from its end: what is newest matters first. The names of
// the lanes go along.

for (const box of document.querySelectorAll("[data-scroll-to-end]")) {
  const drawing = box.querySelector("svg");
  const names = drawing.querySelectorAll("[data-lane-name]");
  const left = Number(names[0]?.getAttribute("x") ?? 0);
  const follow = () => {
    const shift = (box.scrollLeft * drawing.viewBox.baseVal.width) / drawing.clientWidth;
    for (const name of names) name.setAttribute("x", left + shift);
  };
  box.addEventListener("scroll", follow, { passive: true });
  window.addEventListener("beforeprint", () => { box.scrollLeft = 0; follow(); });
  box.scrollLeft = box.scrollWidth;
  follow();
  const hint = box.parentElement.querySelector("[data-scroll-hint]");
  if (hint) hint.hidden = box.scrollWidth <= box.clientWidth;
}
