// The slider of the body map: it says the day while it moves, and shows that day when it is let go.

const form = document.querySelector("form[data-map-time]");
if (form) {
  const days = form.dataset.days.split("|");
  const slider = form.querySelector("input[type=range]");
  const said = form.querySelector("output");
  slider.addEventListener("input", () => {
    const day = days[Number(slider.value) - 1];
    said.value = day;
    slider.setAttribute("aria-valuetext", day);
  });
  slider.addEventListener("change", () => form.requestSubmit());
}
