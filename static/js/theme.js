// Sets the theme before the first paint: the remembered choice, else what the system prefers.
// A classic script in <head>, so that no page flashes in the wrong colours.
(() => {
  const KEY = "stsclinic.theme";
  const root = document.documentElement;
  const system = matchMedia("(prefers-color-scheme: dark)");

  function remembered() {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage may be forbidden; the system's preference stands then
    }
  }

  function apply() {
    const choice = remembered();
    root.dataset.bsTheme = choice === "light" || choice === "dark" ? choice : system.matches ? "dark" : "light";
    document.dispatchEvent(new CustomEvent("theme-changed"));
  }

  root.classList.add("js");
  apply();
  system.addEventListener("change", apply);
  addEventListener("storage", (event) => event.key === KEY && apply());
  addEventListener("theme-choice", (event) => {
    try {
      localStorage.setItem(KEY, event.detail);
    } catch {
      root.dataset.bsTheme = event.detail;
      return;
    }
    apply();
  });
})();
