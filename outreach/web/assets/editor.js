// The code editor of templates, campaign files and settings: CodeMirror 6 over a <textarea>, which stays the form field.
//
//   import { edit } from "/static/vendor/editor.js";
//   const editor = edit(textarea, { language: "mjml", readOnly: false, onChange: text => … });
//   editor.value, editor.value = "…", editor.problems([{ line, column, severity, message }]), editor.destroy()
import { EditorState } from "@codemirror/state";
import { EditorView, keymap } from "@codemirror/view";
import { HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { html } from "@codemirror/lang-html";
import { jinja } from "@codemirror/lang-jinja";
import { xml } from "@codemirror/lang-xml";
import { toml } from "@codemirror/legacy-modes/mode/toml";
import { setDiagnostics, lintGutter } from "@codemirror/lint";
import { indentWithTab } from "@codemirror/commands";
import { tags } from "@lezer/highlight";
import { basicSetup } from "codemirror";

const LANGUAGES = {
  mjml: () => jinja({ base: html({ selfClosingTags: true, matchClosingTags: true }) }),
  html: () => jinja({ base: html() }),
  text: () => jinja(),
  jinja: () => jinja(),
  xml: () => xml(),
  toml: () => StreamLanguage.define(toml),
  plain: () => [],
};

// Colours are the pages' own tokens, which reach into the shadow root: light and dark follow the page, contrast is theirs.
const LOOK = EditorView.theme({
  "&": { backgroundColor: "var(--o-surface)", color: "var(--o-ink)", fontSize: "13px" },
  ".cm-content": { caretColor: "var(--o-ink)" },
  ".cm-cursor": { borderLeftColor: "var(--o-ink)" },
  ".cm-gutters": { backgroundColor: "var(--o-sunk)", color: "var(--o-ink-3)", borderRight: "1px solid var(--o-line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "var(--o-hover)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--o-accent-soft)" },
  ".cm-panels, .cm-tooltip": { backgroundColor: "var(--o-surface)", color: "var(--o-ink)", borderColor: "var(--o-line-2)" },
});
const COLOURS = HighlightStyle.define([
  { tag: [tags.tagName, tags.keyword, tags.controlKeyword, tags.heading], color: "var(--o-accent-ink)", fontWeight: "600" },
  { tag: [tags.attributeName, tags.propertyName, tags.variableName], color: "var(--o-ochre-ink)" },
  { tag: [tags.comment, tags.angleBracket, tags.bracket, tags.meta], color: "var(--o-ink-2)" },
  { tag: [tags.string, tags.attributeValue, tags.number, tags.bool, tags.atom], color: "var(--o-ink)" },
]);

/** 1-based line and column, as the program's messages give them, → offset in the document. */
function offset(doc, line, column) {
  const row = doc.line(Math.min(Math.max(line || 1, 1), doc.lines));
  return Math.min(row.from + Math.max((column || 1) - 1, 0), row.to);
}

export function edit(textarea, { language = "plain", readOnly = false, onChange = null, label = "" } = {}) {
  const follow = EditorView.updateListener.of(update => {
    if (!update.docChanged) return;
    textarea.value = update.state.doc.toString();
    textarea.dispatchEvent(new Event("input", { bubbles: true }));
    if (onChange) onChange(textarea.value);
  });
  // In a shadow root CodeMirror adopts style sheets; in the page it would add <style>, which the pages' policy refuses.
  const host = document.createElement("div");
  host.className = "o-editor";
  const root = host.attachShadow({ mode: "open" });
  textarea.after(host);
  const view = new EditorView({
    root,
    parent: root,
    doc: textarea.value,
    extensions: [
      basicSetup,
      LOOK,
      syntaxHighlighting(COLOURS),
      // Tab indents; Escape then Tab leaves the field (CodeMirror's own way out for keyboard users).
      keymap.of([indentWithTab]),
      lintGutter(),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({ "aria-label": label || textarea.name || language }),
      EditorState.readOnly.of(readOnly),
      (LANGUAGES[language] || LANGUAGES.plain)(),
      follow,
    ],
  });
  textarea.hidden = true;
  return {
    view,
    get value() {
      return view.state.doc.toString();
    },
    set value(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    problems(list) {
      const doc = view.state.doc;
      const found = list.map(p => {
        const from = offset(doc, p.line, p.column);
        return { from, to: Math.min(from + (p.length || 1), doc.length), severity: p.severity || "error", message: p.message };
      });
      view.dispatch(setDiagnostics(view.state, found));
    },
    destroy() {
      view.destroy();
      host.remove();
      textarea.hidden = false;
    },
  };
}
