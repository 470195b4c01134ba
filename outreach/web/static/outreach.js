/* outreach.js: what the pages need besides htmx. No framework, no inline script; every page works without it. */
(function () {
  "use strict";
  var root = document.documentElement, params = new URLSearchParams(location.search);
  var stored = null;
  try { stored = localStorage.getItem("o-theme"); } catch (e) { /* private mode */ }
  root.setAttribute("data-bs-theme", params.get("theme") || stored || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));

  var $ = function (s, el) { return (el || document).querySelector(s); };
  var $$ = function (s, el) { return Array.prototype.slice.call((el || document).querySelectorAll(s)); };
  var css = function (name) { return getComputedStyle(root).getPropertyValue(name).trim(); };

  /* Toast: the server's word on what was done; undo posts the form beside it. */
  var timer = null;
  function hideToastLater() {
    var el = $("#toast");
    if (!el || el.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(function () { el.hidden = true; }, 9000);
  }
  function undo() {
    var form = $("#toast:not([hidden]) form:not([hidden])");
    if (form) form.requestSubmit();
  }
  function toast(text, undo) {
    var el = $("#toast");
    if (!el) return;
    $("span", el).textContent = text;
    $("form", el).hidden = !undo;
    if (undo) { $("[name=undo]", el).value = undo; $("[name=next]", el).value = location.pathname + location.search; }
    el.hidden = false;
    hideToastLater();
  }

  function select(step) {
    var items = $$("[data-row]"), at = items.findIndex(function (a) { return a.hasAttribute("aria-current"); });
    var next = items[Math.min(items.length - 1, Math.max(0, at + step))];
    if (!next) return;
    items.forEach(function (a) { a.removeAttribute("aria-current"); });
    next.setAttribute("aria-current", "true");
    next.scrollIntoView({ block: "nearest" });
    if (next.dataset.row === "open") next.click(); else next.focus();
  }

  /* One chart: mails an hour, done solid and expected hatched. The figures stand in data-points. */
  var charts = {
    pace: function (el) {
      var told = JSON.parse(el.dataset.points), ink = css("--o-ink-3"), n = told.now;
      return {
        animation: false, textStyle: { fontFamily: css("--o-font") }, grid: { left: 44, right: 8, top: 20, bottom: 22 },
        tooltip: { trigger: "axis", axisPointer: { type: "shadow" } },
        xAxis: { type: "category", data: told.hours, axisTick: { show: false }, axisLine: { lineStyle: { color: css("--o-line-2") } }, axisLabel: { color: ink, fontSize: 11, interval: Math.max(0, Math.ceil(told.hours.length / (el.clientWidth < 500 ? 4 : 8)) - 1) } },
        yAxis: { type: "value", min: 0, minInterval: 1, splitNumber: 2, axisLabel: { color: ink, fontSize: 11 }, splitLine: { lineStyle: { color: css("--o-line") } } },
        series: [
          { type: "bar", stack: "a", name: told.done_name, barCategoryGap: "18%", data: told.done, itemStyle: { color: css("--o-accent") },
            markLine: n < 0 ? undefined : { silent: true, symbol: "none", lineStyle: { color: css("--o-ink-2"), type: "solid", width: 1 }, label: { color: css("--o-ink-2"), fontSize: 11, formatter: told.now_name }, data: [{ xAxis: n }] } },
          { type: "bar", stack: "a", name: told.plan_name, data: told.plan, itemStyle: { color: css("--o-accent-mid"), decal: { symbol: "rect", dashArrayX: [1, 0], dashArrayY: [2, 3], rotation: -0.7, color: css("--o-surface") } } }
        ]
      };
    }
  };
  function drawCharts() {
    if (!window.echarts) return;
    $$("[data-chart]").forEach(function (el) {
      var chart = window.echarts.getInstanceByDom(el) || window.echarts.init(el, null, { renderer: "svg" });
      chart.setOption(charts[el.dataset.chart](el), true);
      chart.resize();
    });
  }

  /* Ticked rows: the bar with what can be done to them appears. */
  function countTicks(form) {
    var boxes = $$("input[name=id]", form), on = boxes.filter(function (b) { return b.checked; });
    var bar = $(".o-bulk", form), all = $("[data-all]", form);
    if (bar) { bar.hidden = !on.length; var n = $("[data-count]", bar); if (n) n.textContent = on.length; var every = $("[data-every]", bar); if (every && every.checked && n) n.textContent = every.dataset.every; $$("[data-need]", bar).forEach(function (b) { b.hidden = on.length !== Number(b.dataset.need); }); }
    if (all) { all.checked = on.length > 0 && on.length === boxes.length; all.indeterminate = on.length > 0 && on.length < boxes.length; }
    boxes.forEach(function (b) { b.closest("tr").setAttribute("aria-selected", String(b.checked)); });
  }

  /* Inline edit: a press on the value shows its form; Escape leaves it. */
  function openEdit(el) {
    var form = document.getElementById(el.dataset.edit);
    if (!form) return;
    el.hidden = true; form.hidden = false;
    var field = $("input:not([type=hidden]), select, textarea", form);
    if (field) { field.focus(); if (field.select) field.select(); }
    form.addEventListener("keydown", function (ev) { if (ev.key === "Escape") { form.hidden = true; el.hidden = false; el.focus(); } });
  }

  /* Tabs that are wider than the window begin at the one that is open. */
  function showTab(row) {
    var here = $("[aria-current]", row);
    if (here) row.scrollLeft = here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2;
  }

  window.outreach = { toast: toast, charts: drawCharts, $: $, $$: $$ };
  addEventListener("resize", drawCharts);

  document.addEventListener("click", function (ev) {
    $$("details.o-menu[open], details.o-more[open]").forEach(function (d) { if (!d.contains(ev.target)) d.open = false; });
    var el = ev.target.closest("button, a, [data-edit]");
    if (!el) return;
    if (el.matches("[data-theme-toggle]")) {
      var theme = root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
      root.setAttribute("data-bs-theme", theme);
      try { localStorage.setItem("o-theme", theme); } catch (e) { /* private mode */ }
      drawCharts();
    } else if (el.matches("[data-keys]")) { $("#keys").showModal(); }
    else if (el.matches("[data-back]")) { history.back(); }
    else if (el.matches("[data-print]")) { print(); }
    else if (el.matches("[data-edit]")) { openEdit(el); }
    else if (el.matches("[data-device]")) {
      $$("[data-device][aria-pressed]", el.parentNode).forEach(function (b) { b.setAttribute("aria-pressed", String(b === el)); });
      $(".o-stage").dataset.device = el.dataset.device;
    } else if (el.matches("[data-show]")) {
      $$("[data-show]", el.parentNode).forEach(function (b) { b.setAttribute("aria-pressed", String(b === el)); });
      $$("[data-pane]").forEach(function (p) { p.classList.toggle("on", p.dataset.pane === el.dataset.show); });
    } else if (el.matches("[data-view]")) { var box = $(".o-inbox"); box.dataset.view = box.dataset.view === el.dataset.view && el.dataset.view === "card" ? "thread" : el.dataset.view; scrollTo(0, 0); }
    else if (el.matches("[data-copy]")) { navigator.clipboard.writeText(el.dataset.copy); toast(el.dataset.said || ""); }
  });

  document.addEventListener("change", function (ev) {
    var el = ev.target;
    if (el.matches("[data-all]")) $$("input[name=id]", el.form).forEach(function (b) { b.checked = el.checked; });
    if (el.matches("[data-all], [data-every], input[name=id]") && el.form) countTicks(el.form);
    if (el.matches("[data-submit]")) el.form.requestSubmit();
    if (el.matches("[data-go]")) location.href = el.value;
    if (el.matches(".o-choose input")) { var told = $("[data-chosen]", el.parentNode), n = el.files.length; told.dataset.none = told.dataset.none || told.textContent; told.textContent = n > 1 ? told.dataset.many.replace("{n}", n) : n ? el.files[0].name : told.dataset.none; }
    if (el.matches("[data-fill]") && el.value) { var to = document.getElementById(el.dataset.fill); to.value = el.value; to.dispatchEvent(new Event("input", { bubbles: true })); }
  });

  /* The builder's row: only the comparisons and values that fit the field; the text that is saved follows. */
  function fitField() {
    var field = $("#add-field"), op = $("#add-op"), list = $("#add-values");
    if (!field || !op) return;
    var kind = field.selectedOptions[0].dataset.kind;
    $$("option", op).forEach(function (o) { o.hidden = o.disabled = o.dataset.kinds.split(" ").indexOf(kind) < 0; });
    if (op.selectedOptions[0] && op.selectedOptions[0].disabled) op.value = ($$("option", op).find(function (o) { return !o.disabled; }) || {}).value;
    var choices = $('template[data-choices="' + field.value + '"]');
    if (list) list.innerHTML = choices ? choices.innerHTML : "";
  }
  function keepSegment() {
    var told = $("[data-segment]"), saved = $("#save-text"), expr = $("#expr");
    if (saved && expr) saved.value = expr.value; else if (saved && told) saved.value = told.dataset.segment;
    fitField();
  }
  document.addEventListener("change", function (ev) { if (ev.target.id === "add-field") fitField(); if (ev.target.matches("[data-provider]")) fitProvider(); });

  /* A mailbox's form: the chosen provider's servers stand in the empty fields; one without passwords says so. */
  function fitProvider() {
    var chosen = $("[data-provider]"), option = chosen && chosen.selectedOptions[0];
    if (!option) return;
    ["smtp", "imap"].forEach(function (kind) { $("[name=" + kind + "_host]").placeholder = option.dataset[kind] || kind + ".your-company.com"; });
    $("[data-oauth]").hidden = option.dataset.auth.split(" ").indexOf("password") >= 0;
    if (!option.dataset.smtp) $(".o-fold").open = true;
  }
  document.addEventListener("input", function (ev) { if (ev.target.id === "expr" && $("#save-text")) $("#save-text").value = ev.target.value; });

  document.addEventListener("submit", function (ev) {
    var sure = ev.submitter && ev.submitter.dataset.sure || ev.target.dataset.sure;
    if (sure && !confirm(sure)) ev.preventDefault();
    sendOnce(ev);
  });

  /* Who presses twice sends once: the browser would drop the first request, the server may have done it already. A form that
     answers with a file leaves the page where it is, so it may be sent again after a while. */
  function sendOnce(ev) {
    var form = ev.target;
    if (ev.defaultPrevented || form.method !== "post") return;
    if (form.hasAttribute("aria-busy")) { ev.preventDefault(); return; }
    form.setAttribute("aria-busy", "true");
    keepTyped(form);
    setTimeout(function () { form.removeAttribute("aria-busy"); }, 10000);
  }
  addEventListener("pageshow", function () { $$("form[aria-busy]").forEach(function (f) { f.removeAttribute("aria-busy"); }); });

  /* A login that ended meanwhile costs nothing that was typed: it stays in this tab until the next page is there. When that is
     the login, or says that it did not work, it is put back afterwards, for the same person on the same page. */
  function typedFields(form) {
    return Array.prototype.filter.call(form.elements, function (f) { return f.name && !/^(hidden|password|file|submit|button|fieldset)$/.test(f.type); });
  }
  function keepTyped(form) {
    if (!document.body.dataset.who) return;
    var told = typedFields(form).map(function (f) { return /^(checkbox|radio)$/.test(f.type) ? f.checked : f.value; });
    var typed = { who: document.body.dataset.who, at: location.pathname + location.search, action: form.getAttribute("action"), told: told };
    try { sessionStorage.setItem("o-typed", JSON.stringify(typed)); } catch (e) { /* private mode, or too long */ }
  }
  function putBackTyped() {
    var typed = null;
    try { typed = JSON.parse(sessionStorage.getItem("o-typed")); } catch (e) { /* private mode */ }
    if (!typed) return;
    if (!document.body.dataset.who) { typed.lost = true; sessionStorage.setItem("o-typed", JSON.stringify(typed)); return; }
    sessionStorage.removeItem("o-typed");
    if (!typed.lost || typed.who !== document.body.dataset.who || typed.at !== location.pathname + location.search) return;
    var form = $$("form[method=post]").find(function (f) { return f.getAttribute("action") === typed.action; });
    var fields = form ? typedFields(form) : [];
    if (!fields.length || fields.length !== typed.told.length) return;
    fields.forEach(function (f, n) { if (typeof typed.told[n] === "boolean") f.checked = typed.told[n]; else f.value = typed.told[n]; });
    toast(document.body.dataset.again);
  }
  /* Before the deferred scripts, which begin with what stands in the fields. */
  document.addEventListener("readystatechange", function () { if (document.readyState === "interactive") putBackTyped(); });

  /* Every htmx request that changes something carries the form token. */
  document.addEventListener("htmx:config:request", function (ev) {
    var token = document.body.dataset.formToken;
    if (token) ev.detail.ctx.request.headers["X-Form-Token"] = token;
  });
  document.addEventListener("htmx:after:swap", function () { drawCharts(); keepSegment(); rowSwapped(); });

  /* A value in a list's row: the field that came has the focus; after saving, the value has it again. */
  function rowSwapped() {
    var field = $("[data-edit-cell]:not([data-there]) :is(input, select)"), row = $("tr[data-told], tr[data-back]");
    if (field) { field.closest("[data-edit-cell]").dataset.there = "1"; field.dataset.was = field.value; field.focus(); if (field.select) field.select(); }
    if (!row) return;
    if (row.dataset.told) toast(row.dataset.told, row.dataset.undo);
    var cell = $('[data-cell="' + CSS.escape(row.dataset.back || "") + '"]', row);
    if (cell) cell.focus();
    ["told", "undo", "back"].forEach(function (name) { delete row.dataset[name]; });
    var form = row.closest("form[data-bulk]");
    if (form) countTicks(form);
  }
  function leaveCell(el) { var cell = el.closest("[data-edit-cell]"); if (cell && cell.isConnected) $("[data-cancel]", cell).click(); }
  document.addEventListener("keydown", function (ev) {
    if (ev.target.closest && ev.target.closest("[data-edit-cell]") && ev.key === "Escape") { ev.stopPropagation(); ev.target.value = ev.target.dataset.was; leaveCell(ev.target); }
  }, true);
  document.addEventListener("focusout", function (ev) {
    var cell = ev.target.closest && ev.target.closest("[data-edit-cell]");
    if (cell && ev.target.matches("input, select") && ev.target.value === ev.target.dataset.was && !cell.contains(ev.relatedTarget)) leaveCell(ev.target);
  });

  document.addEventListener("keydown", function (ev) {
    var typing = /^(INPUT|TEXTAREA|SELECT)$/.test(ev.target.tagName) && !/^(radio|checkbox)$/.test(ev.target.type) || ev.target.isContentEditable;
    if (typing && ev.key === "Enter" && (ev.ctrlKey || ev.metaKey) && ev.target.form) { ev.preventDefault(); ev.target.form.requestSubmit(); return; }
    if (ev.metaKey || ev.ctrlKey || ev.altKey) return;
    if (ev.key === "Escape" && typing) { ev.target.blur(); return; }
    if (ev.key === "Escape") {
      $$("details.o-menu[open], details.o-more[open]").forEach(function (d) { d.open = false; });
      $$("form[data-bulk]").forEach(function (f) { $$("input[name=id]", f).forEach(function (b) { b.checked = false; }); countTicks(f); });
      return;
    }
    if (typing) return;
    if (ev.key === "/" && $("#q")) { ev.preventDefault(); $("#q").focus(); }
    else if (ev.key === "?" && $("#keys")) { ev.preventDefault(); $("#keys").showModal(); }
    else if (ev.key === "z") undo();
    else if (ev.key === "j" || ev.key === "k") select(ev.key === "j" ? 1 : -1);
    else {
      var hit = $('[data-key="' + CSS.escape(ev.key) + '"]');
      if (!hit) return;
      ev.preventDefault();
      if (hit.type === "radio") { hit.focus(); hit.click(); } else if (/^(TEXTAREA|INPUT|SELECT)$/.test(hit.tagName)) hit.focus(); else if (hit.tagName === "DETAILS") { hit.open = true; var f = $("select, input:not([type=hidden])", hit); if (f) f.focus(); } else hit.click();
    }
  });

  document.addEventListener("DOMContentLoaded", function () {
    $$(".o-tabs, .o-seg-x, .o-views").forEach(showTab);
    hideToastLater();
    drawCharts();
    keepSegment();
    fitProvider();
    $$("form[data-bulk]").forEach(countTicks);
    var box = $(".o-inbox"), view = params.get("view");
    if (box && view) box.dataset.view = view;
    var tab = params.get("pane") && $('[data-show="' + CSS.escape(params.get("pane")) + '"]');
    if (tab) tab.click();
  });
})();
