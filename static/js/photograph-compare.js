// Two photographs of a lesion: side by side as the page is made, or one over the other under a slider.

const section = document.querySelector("[data-compare]");

function start() {
  const field = section.querySelector("[data-compare-field]");
  const slider = section.querySelector("[data-compare-slider]");
  const range = slider.querySelector("input");
  const left = field.querySelector("[data-side='left']");
  const picture = left.querySelector("svg");
  const ways = section.querySelector("[data-compare-ways]");

  const cut = () => {
    picture.style.clipPath = slider.hidden ? "" : `inset(0 ${100 - range.value}% 0 0)`;
    range.setAttribute("aria-valuetext", `${range.value} %`);
  };
  const show = (way) => {
    slider.hidden = way !== "slider";
    field.classList.toggle("is-slider", !slider.hidden);
    for (const button of ways.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.way === way));
    }
    cut();
  };

  ways.hidden = false;
  ways.addEventListener("click", (event) => {
    const way = event.target.closest("button")?.dataset.way;
    if (way) show(way);
  });
  range.addEventListener("input", cut);
}

if (section) start();
