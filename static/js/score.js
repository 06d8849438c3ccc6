// The code comes behind the # of the address, which no server and no log ever sees: it is taken out of the
// address and sent in a form. Without this script it is typed.

const form = document.querySelector("[data-score-code]");
const code = location.hash.slice(1);

if (form && code) {
  history.replaceState(null, "", location.pathname);
  form.elements.code.value = code;
  form.requestSubmit();
}
