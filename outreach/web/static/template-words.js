/* The form of a template's words: put a variable in at the cursor, choose the preview's width, warn before leaving. */
const form = document.getElementById("words");
const fields = "input[name^='w.'], textarea[name^='w.']";
let last = form.querySelector("[name='w.subject']"), dirty = false, sent = false;

form.addEventListener("focusin", ev => { if (ev.target.matches(fields)) last = ev.target; });
form.addEventListener("input", ev => {
  if (!ev.target.matches(fields)) return;
  dirty = true;
  document.getElementById("dirty").hidden = false;
});
form.addEventListener("submit", () => { sent = true; });
addEventListener("beforeunload", ev => { if (dirty && !sent) ev.preventDefault(); });
document.addEventListener("keydown", ev => {
  if ((ev.ctrlKey || ev.metaKey) && ev.key === "s") { ev.preventDefault(); form.requestSubmit(); }
});
document.addEventListener("click", ev => {
  const piece = ev.target.closest("[data-insert]");
  if (piece && last) {
    last.setRangeText(piece.dataset.insert, last.selectionStart, last.selectionEnd, "end");
    last.dispatchEvent(new Event("input", { bubbles: true }));
    last.focus();
  }
  const width = ev.target.closest("[data-width]");
  if (width) {
    for (const one of width.parentNode.querySelectorAll("[data-width]")) one.setAttribute("aria-pressed", String(one === width));
    form.elements.device.value = width.dataset.width;
    const stage = document.querySelector("#preview .o-stage");
    if (stage) stage.dataset.device = width.dataset.width;
  }
});
