// Side effects: the grade while it is answered, what makes it serious, and a date that chooses its own button.

const GRADES = { 1: "mild", 2: "moderate", 3: "severe", 4: "life-threatening", 5: "death" };
const ASKED_FROM_GRADE = 3;

function grades(form) {
  const box = form.querySelector("[data-grade-questions]");
  const found = box?.querySelector("[data-grade-found]");
  if (!found) return;
  const show = () => {
    const answered = [...box.querySelectorAll("input:checked")];
    const yes = answered.filter((input) => input.value === "yes").map((input) => Number(input.dataset.grade));
    const open = [...box.querySelectorAll("fieldset")].filter((field) => !field.querySelector("input:checked"));
    const graver = open.some((field) => Number(field.querySelector("input").dataset.grade) > Math.max(0, ...yes));
    const grade = Math.max(0, ...yes);
    if (grade) found.textContent = `${graver ? "At least grade" : "Grade"} ${grade}, ${GRADES[grade]}`;
    else found.textContent = "";
    const seriousness = form.querySelector("[data-seriousness]");
    if (seriousness && grade >= ASKED_FROM_GRADE) seriousness.open = true;
  };
  box.addEventListener("change", show);
  show();
}

// A yes to a question that is itself one of the six criteria ticks it, where everybody sees it; when the yes
// is taken back, so is what was ticked by it.
function seriousness(form) {
  const section = form.querySelector("[data-seriousness]");
  if (!section) return;
  const said = section.querySelector("select[name=serious]");
  const ticked = new Set();
  let before = null;
  form.querySelector("[data-grade-questions]")?.addEventListener("change", (event) => {
    const code = event.target.dataset.criterion;
    if (!code) return;
    const box = section.querySelector(`input[name=seriousness_criteria][value=${code}]`);
    if (event.target.value === "yes" && !box.checked) {
      box.checked = true;
      ticked.add(code);
    } else if (event.target.value === "no" && ticked.delete(code)) {
      box.checked = false;
    }
    if (event.target.value === "yes") section.open = true;
    if (!said) return;
    if (ticked.size && said.value !== "yes") {
      before = said.value;
      said.value = "yes";
    } else if (!ticked.size && before !== null) {
      said.value = before;
      before = null;
    }
  });
}

function dates(form) {
  for (const box of form.querySelectorAll(".tap-date input")) {
    const taps = box.closest(".taps");
    const choices = [...taps.querySelectorAll("input[type=radio]")];
    // Whoever comes by with the arrows is on the way to another choice: only a tap leads on to the date.
    let tapped = false;
    taps.addEventListener("pointerdown", () => { tapped = true; });
    taps.addEventListener("keydown", () => { tapped = false; });
    const byDate = choices.find((choice) => choice.value === "");
    if (!byDate) continue;
    box.addEventListener("input", () => { if (box.value) byDate.checked = true; });
    for (const choice of choices) {
      choice.addEventListener("change", () => {
        if (choice !== byDate) box.value = "";
        else if (tapped) box.focus();
      });
    }
  }
}

for (const form of document.querySelectorAll("form[data-side-effect]")) {
  grades(form);
  seriousness(form);
  dates(form);
}
