/* The editor of templates: CodeMirror over the text field, which stays the form's field. */
import { edit } from "./vendor/editor.js";

const field = document.getElementById("text");
const form = field.form;
const editor = edit(field, { language: field.dataset.language, label: field.getAttribute("aria-label") });
const first = field.value;
let sent = false;

const changed = () => field.value !== first;
const show = () => { document.getElementById("dirty").hidden = !changed(); };
field.addEventListener("input", show);
form.addEventListener("submit", () => { sent = true; });
addEventListener("beforeunload", ev => { if (changed() && !sent) ev.preventDefault(); });
document.addEventListener("keydown", ev => {
  if ((ev.ctrlKey || ev.metaKey) && ev.key === "s") { ev.preventDefault(); form.requestSubmit(); }
});

document.addEventListener("click", ev => {
  const piece = ev.target.closest("[data-insert]");
  if (piece) {
    const range = editor.view.state.selection.main;
    const text = piece.dataset.insert;
    editor.view.dispatch({ changes: { from: range.from, to: range.to, insert: text }, selection: { anchor: range.from + text.length } });
    editor.view.focus();
  }
  const width = ev.target.closest("[data-width]");
  if (width) {
    for (const one of width.parentNode.querySelectorAll("[data-width]")) one.setAttribute("aria-pressed", String(one === width));
    form.elements.device.value = width.dataset.width;
    const stage = document.querySelector("#preview .o-stage");
    if (stage) stage.dataset.device = width.dataset.width;
  }
});

document.addEventListener("htmx:after:swap", () => {
  const told = document.querySelector("#preview [data-problems]");
  editor.problems(told ? JSON.parse(told.dataset.problems).filter(p => p.line && p.file === form.elements.file.value) : []);
});
