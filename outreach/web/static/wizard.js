/* wizard.js: a campaign's steps one at a time, chosen by the address's # so that the browser's back and forward work.
   Without this file all steps stand below each other and the page works as well. */
(function () {
  "use strict";
  var $ = window.outreach.$, $$ = window.outreach.$$, form = $("[data-wizard]");
  if (!form) return;
  var steps = $$("[data-step]", form), key = "o-wizard-" + form.dataset.wizard;
  var names = steps.map(function (s) { return s.dataset.step; });
  /* A hidden field cannot be pointed at by the browser: the step is shown first, then its fault told. */
  form.noValidate = true;
  form.classList.add("is-stepped");

  function fields(step) { return $$("input, select, textarea", step); }
  function wrong(step) { return fields(step).find(function (f) { return !f.checkValidity(); }); }
  function now() { return steps.find(function (s) { return !s.hidden; }) || steps[0]; }
  function here() {
    var name = location.hash.slice(1), faulty = $("[aria-invalid=true]", form);
    if (names.indexOf(name) >= 0) return name;
    var field = name && document.getElementById(name), its = field && field.closest("[data-step]");
    if (its) return its.dataset.step;
    return faulty ? faulty.closest("[data-step]").dataset.step : names[0];
  }
  function show(name) {
    steps.forEach(function (s) { s.hidden = s.dataset.step !== name; });
    $$("[data-way]", form).forEach(function (li) {
      var at = names.indexOf(li.dataset.way);
      if (li.dataset.way === name) li.setAttribute("aria-current", "step"); else li.removeAttribute("aria-current");
      li.classList.toggle("done", at < names.indexOf(name) && !wrong(steps[at]));
    });
    look();
    scrollTo(0, 0);
  }
  /* The calendar around this campaign follows what the steps before it say. */
  function look() { var near = $("#near"); if (near && now().contains(near)) near.dispatchEvent(new CustomEvent("shown")); }
  function tell(step) {
    if (location.hash !== "#" + step.dataset.step) { history.pushState(null, "", "#" + step.dataset.step); }
    show(step.dataset.step);
    wrong(step).reportValidity();
  }

  /* What is typed and not saved yet outlives a reload and a visit to another page, in this tab alone. */
  function keep() {
    var told = [];
    new FormData(form).forEach(function (value, name) { if (name !== "form_token") told.push([name, value]); });
    try { sessionStorage.setItem(key, JSON.stringify(told)); } catch (e) { /* private mode */ }
  }
  function drop() { try { sessionStorage.removeItem(key); } catch (e) { /* private mode */ } }
  function again() {
    var told = null;
    try { told = JSON.parse(sessionStorage.getItem(key)); } catch (e) { /* private mode */ }
    if (!told || $("[role=alert]", form)) return;
    var of = {}, changed = false;
    told.forEach(function (pair) { (of[pair[0]] = of[pair[0]] || []).push(pair[1]); });
    fields(form).forEach(function (f) {
      if (!f.name || f.type === "hidden") return;
      var mine = of[f.name] || [];
      if (f.type === "checkbox" || f.type === "radio") { var on = mine.indexOf(f.value) >= 0; changed = changed || f.checked !== on; f.checked = on; }
      else if (mine.length) { var value = mine.shift(); changed = changed || f.value !== value; f.value = value; }
    });
    if (changed) { window.outreach.toast(form.dataset.again); $("#segment").dispatchEvent(new Event("input", { bubbles: true })); }
  }

  form.addEventListener("input", function (ev) {
    var told = $("#fault-" + CSS.escape(ev.target.name));
    if (told) { told.remove(); $$("[name=" + CSS.escape(ev.target.name) + "], fieldset", form).forEach(function (el) { el.removeAttribute("aria-invalid"); el.removeAttribute("aria-describedby"); }); }
    keep();
  });
  form.addEventListener("change", function () { keep(); look(); });
  form.addEventListener("click", function (ev) {
    if (ev.target.closest("[data-drop]")) drop();
    var day = ev.target.closest("[data-day]"), start = $("#start");
    if (day) { start.value = day.dataset.day + "T" + (start.value.slice(11) || "09:00"); start.dispatchEvent(new Event("change", { bubbles: true })); }
    if (ev.target.closest("[data-next]") && wrong(now())) { ev.preventDefault(); wrong(now()).reportValidity(); }
  });
  form.addEventListener("submit", function (ev) {
    var step = steps.find(wrong);
    if (step) { ev.preventDefault(); tell(step); } else drop();
  });
  addEventListener("hashchange", function () { show(here()); });
  addEventListener("popstate", function () { show(here()); });
  if (!/[?&](template|segment|expression)=/.test(location.search)) again();
  show(here());
})();
