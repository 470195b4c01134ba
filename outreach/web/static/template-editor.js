/* The editor of templates: CodeMirror over the text field, which stays the form's field. */
import { edit } from "./vendor/editor.js";

const field = document.getElementById("text");
const editor = edit(field, { language: field.dataset.language, label: field.getAttribute("aria-label") });
document.addEventListener("htmx:after:swap", () => {
  const told = document.querySelector("#preview [data-problems]");
  editor.problems(told ? JSON.parse(told.dataset.problems).filter(p => p.line && p.file === field.form.elements.file.value) : []);
});
