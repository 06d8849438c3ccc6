// The frame of every page: the menu on narrow screens, the theme switch, printing, focus on errors.

function menu(button) {
  const nav = document.getElementById(button.getAttribute("aria-controls"));
  const show = (open) => {
    nav.classList.toggle("is-open", open);
    button.setAttribute("aria-expanded", String(open));
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && nav.classList.contains("is-open")) {
      show(false);
      button.focus();
    }
  });
}

function themeSwitch(button) {
  const root = document.documentElement;
  const other = () => (root.dataset.bsTheme === "dark" ? "light" : "dark");
  const label = button.querySelector("[data-theme-name]");
  const name = () => (label.textContent = other() === "dark" ? "Dark" : "Light");
  button.hidden = false;
  name();
  document.addEventListener("theme-changed", name);
  button.addEventListener("click", () => {
    dispatchEvent(new CustomEvent("theme-choice", { detail: other() }));
    name();
  });
}

function printButton(button) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

function autoSubmit(form) {
  form.addEventListener("change", () => form.requestSubmit());
}

for (const [selector, start] of [
  ["[data-menu-button]", menu],
  ["[data-theme-switch]", themeSwitch],
  ["[data-print]", printButton],
  ["form[data-auto-submit]", autoSubmit],
]) {
  document.querySelectorAll(selector).forEach(start);
}

document.querySelector("[data-error-summary]")?.focus();
