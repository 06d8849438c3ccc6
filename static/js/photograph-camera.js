// The camera on the page, with the last photograph of the lesion shining through, to hold the next alike. What is
// taken goes into the form's file; without this script, or without a camera, the file fields do.

const form = document.querySelector("[data-photograph-form]");
const part = (name) => form.querySelector(`[data-viewfinder${name}]`);
const [box, stage, live, still, ghost] = ["", "-stage", "-live", "-still", "-ghost"].map(part);
const [ghostOf, open, take, again, said] = ["-ghost-of", "-open", "-take", "-again", "-said"].map(part);
const file = form.elements.photograph;
const camera = form.elements.from_camera;
const QUALITY = 0.95;
let stream = null;

function show(node, isShown) {
  if (node) node.hidden = !isShown;
}

function close() {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  live.srcObject = null;
}

async function start() {
  said.textContent = "";
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      video: { facingMode: { ideal: "environment" }, width: { ideal: 4096 }, height: { ideal: 3072 } },
    });
  } catch {
    said.textContent = "The camera cannot be used here. Take the photograph with the field below, or choose a file.";
    camera.closest(".field").hidden = false;
    return;
  }
  live.srcObject = stream;
  await live.play();
  arrange("live");
  take.focus();
}

function arrange(state) {
  show(stage, state !== "closed");
  show(live, state === "live");
  show(still, state === "still");
  show(ghost, state !== "closed");
  show(ghostOf, state !== "closed");
  show(open, state === "closed");
  show(take, state === "live");
  show(again, state === "still");
}

function preview(picture) {
  if (still.src) URL.revokeObjectURL(still.src);
  still.src = URL.createObjectURL(picture);
  arrange("still");
}

function keep() {
  const canvas = document.createElement("canvas");
  canvas.width = live.videoWidth;
  canvas.height = live.videoHeight;
  canvas.getContext("2d").drawImage(live, 0, 0);
  canvas.toBlob(
    (picture) => {
      const taken = new DataTransfer();
      taken.items.add(new File([picture], "photograph.jpg", { type: "image/jpeg" }));
      file.files = taken.files;
      camera.value = "";
      close();
      preview(picture);
      said.textContent = "Taken. Keep the photograph, or take it again.";
      again.focus();
    },
    "image/jpeg",
    QUALITY
  );
}

function shine() {
  if (ghost) ghost.style.opacity = String(form.querySelector("#ghost").value / 100);
}

if (navigator.mediaDevices?.getUserMedia) {
  box.hidden = false;
  camera.closest(".field").hidden = true;
  open.addEventListener("click", start);
  again.addEventListener("click", start);
  take.addEventListener("click", keep);
  form.querySelector("#ghost")?.addEventListener("input", shine);
  for (const input of [file, camera]) {
    input.addEventListener("change", () => {
      const [chosen] = input.files;
      if (!chosen) return;
      (input === file ? camera : file).value = "";
      close();
      preview(chosen);
    });
  }
  still.addEventListener("error", () => arrange("closed"));
  addEventListener("pagehide", close);
  shine();
}
