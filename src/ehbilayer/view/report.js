// The page: what is shown of which point, and what keys, clicks and choices do. Texts are set as texts, never as HTML.

const byId = (id) => document.getElementById(id);
const wide = report.axes.map((_, i) => i).filter((i) => (onGrid ? report.shape[i] : report.count) > 1);
const view = { x: wide[0], y: wide[1], what: report.phases || report.first[0] || "" };
const MAIN = ["energy", "energy_per_particle", "energy_per_hole", "energy_per_pair", "error", "gap", "margin",
  "numerical_error", "binding", "uncertainty", "pressure", "condensate_fraction", "critical_temperature"];

function make(tag, content = "", more = {}) {
  const element = Object.assign(document.createElement(tag), more);
  element.append(content);
  return element;
}

function tableOf(rows) {
  return rows.map(([label, ...cells]) => {
    const row = make("tr");
    row.append(make("th", label, { scope: "row" }), ...cells.map((cell) => (cell instanceof Node ? cell : make("td", cell))));
    return row;
  });
}

function radios(place, name, options, chosen, change) {
  for (const [key, label] of options) {
    const input = make("input", "", { type: "radio", name, value: key, checked: key === chosen });
    input.addEventListener("change", () => change(key));
    const told = make("label");
    told.append(input, ` ${label}`);
    place.append(told);
  }
}

// A slider with its label and what it stands at; `set` gets the place.
function slider(label, length, at, tell, set) {
  const row = make("div", "", { className: "slider" });
  const input = make("input", "", { type: "range", min: 0, max: length - 1, step: 1, value: at });
  const output = make("output", tell(at));
  const told = make("label", label);
  input.id = `slider-${slider.count = (slider.count || 0) + 1}`;
  told.htmlFor = input.id;
  const show = (place) => {
    input.value = place;
    output.textContent = tell(place);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.addEventListener("input", () => { show(Number(input.value)); set(Number(input.value)); });
  row.append(told, input, output);
  show(at);
  return { row, show, input };
}

function choice(label, options, chosen, change) {
  const select = make("select");
  for (const [key, name] of options) select.append(make("option", name, { value: key, selected: String(key) === String(chosen) }));
  select.addEventListener("change", () => change(select.value));
  const told = make("label", `${label} `);
  told.append(select);
  return told;
}

// ---- the overview of a sweep

const overview = byId("map");
const isMap = () => view.y !== undefined;
const ranked = (axis) => Array.from({ length: report.shape[axis] }, (_, i) => i)
  .sort((a, b) => numbers(report.axes[axis].values)[a] - numbers(report.axes[axis].values)[b]);

// The points on the map now: all of a list, or the part of the grid in which only the axes shown change.
function pointsShown() {
  if (!onGrid) return Array.from({ length: report.count }, (_, i) => i);
  const across = Array.from({ length: report.shape[view.x] }, (_, i) => moved(state.point, view.x, i));
  return isMap() ? Array.from({ length: report.shape[view.y] }, (_, j) => across.map((p) => moved(p, view.y, j))).flat() : across;
}

function axisShown(number) {
  const found = report.axes[number];
  const names = found.names.length ? { tickvals: found.names.map((_, i) => i), ticktext: found.names.map(text) } : {};
  return axis(labelled(found.label, found.unit), { type: found.log ? "log" : "linear", ...names });
}

const positions = (number, points) => points.map((p) => along(number, p) * unit(report.axes[number].unit).factor);
const told = (point) => text(report.axes.map((a, i) => `${a.label} = ${said(i, point)}`).concat(
  report.phases ? [word(report.phases, point)] : [], [word("status", point)].filter((s) => s !== "converged"),
  columns.has(view.what) ? [`${columns.get(view.what).title} = ${withUnit(value(view.what, point), columns.get(view.what).unit)}`] : [],
).filter(Boolean).join("\n")).replace(/\n/g, "<br>");

function marker(points, name, symbol, colour, shownToo) {
  return { type: "scatter", mode: "markers", x: positions(view.x, points), y: positions(view.y, points), name, hoverinfo: "skip",
    showlegend: shownToo && points.length > 0, marker: { symbol, size: 8, color: colour, line: { width: 1.5, color: colour } } };
}

function drawOverview() {
  const points = pointsShown();
  return isMap() ? drawPlane(points) : drawLines(points);
}

function drawPlane(points) {
  const named = words.get(view.what);
  const kept = named ? named.words.filter(Boolean) : [];
  const colours = kept.map((w, i) => report.colours[w] || COLOURS[i % COLOURS.length]);
  const column = columns.get(view.what);
  const factor = column ? unit(column.unit).factor : 1;
  const z = points.map((p) => (!converged(p) ? NaN : named ? (word(view.what, p) ? kept.indexOf(word(view.what, p)) : NaN)
    : value(view.what, p) * factor));
  const scale = named ? { colorscale: steps(colours), zmin: -0.5, zmax: kept.length - 0.5, showscale: false }
    : { colorscale: "Viridis", showscale: true, colorbar: bar(column ? labelled(column.title, column.unit) : "") };
  const main = onGrid ? heat(points, z, scale) : cloud(points, z, scale);
  const failed = points.filter((p) => !converged(p));
  const close = points.filter((p) => value("unresolved", p) === 1 && converged(p));
  const traces = [main, ...keyOf(kept, colours), marker(failed, "failed or missing", "x-thin", ink("--ink"), true),
    marker(close, "unresolved", "circle-open", ink("--ink"), true), selection()];
  return draw(overview, traces, layout(narrow() ? 400 : 470, axisShown(view.x), axisShown(view.y), { showlegend: true }),
    "Map of all points. Arrow keys move the point shown.");
}

function heat(points, z, scale) {
  const across = report.shape[view.x];
  const rows = (values) => Array.from({ length: report.shape[view.y] }, (_, j) => values.slice(j * across, (j + 1) * across));
  return { type: "heatmap", x: positions(view.x, points.slice(0, across)), y: rows(positions(view.y, points)).map((r) => r[0]),
    z: rows(z), text: rows(points.map(told)), customdata: rows(points), hoverinfo: "text", hoverongaps: true, ...scale };
}

function cloud(points, z, { zmin, zmax, ...scale }) {
  return { type: "scatter", mode: "markers", x: positions(view.x, points), y: positions(view.y, points), customdata: points,
    text: points.map(told), hoverinfo: "text", showlegend: false,
    marker: { color: z, size: points.length > 2000 ? 5 : 9, cmin: zmin, cmax: zmax, ...scale } };
}

// Curves over one axis: all candidates, or one number with its phase.
function drawLines(points) {
  const lines = view.what === "energies" ? report.candidates.map((name) => [`energies.${name}`, name, report.colours[name]])
    : columns.has(view.what) ? [[view.what, columns.get(view.what).title, COLOURS[0]]] : [];
  const found = lines.filter(([name]) => columns.has(name));
  const x = positions(view.x, points);
  const traces = found.map(([name, label, colour], i) => ({ type: "scatter", mode: onGrid ? "lines+markers" : "markers",
    name: text(label), x, customdata: points, text: points.map(told), hoverinfo: "text+name", connectgaps: false,
    y: points.map((p) => (converged(p) ? value(name, p) * unit(columns.get(name).unit).factor : NaN)),
    line: { color: colour, dash: DASHES[i % DASHES.length] }, marker: { color: colour, size: 8, symbol: SYMBOLS[i % SYMBOLS.length] } }));
  if (!found.length && words.has(view.what)) {
    const kept = words.get(view.what).words.filter(Boolean);
    traces.push({ type: "scatter", mode: "markers", x, y: points.map((p) => text(word(view.what, p))), customdata: points,
      text: points.map(told), hoverinfo: "text", marker: { size: 11, symbol: "square",
        color: points.map((p) => report.colours[word(view.what, p)] || COLOURS[kept.indexOf(word(view.what, p)) % COLOURS.length]) } });
  }
  const label = found.length ? labelled(found.length > 1 ? "energy" : found[0][1], columns.get(found[0][0]).unit) : "";
  const kind = found.length ? {} : { type: "category", ticksuffix: " " };
  return draw(overview, traces, layout(380, axisShown(view.x), axis(label, kind), { showlegend: found.length > 1,
    shapes: [cursor()] }), "All points over one axis. Arrow keys move the point shown.");
}

const selection = () => ({ type: "scatter", mode: "markers", name: "point shown", hoverinfo: "skip", showlegend: true,
  x: positions(view.x, [state.point]), y: positions(view.y, [state.point]),
  marker: { symbol: "square-open", size: 17, color: ink("--ink"), line: { width: 3, color: ink("--ink") } } });
const cursor = () => ({ type: "line", yref: "paper", y0: 0, y1: 1, x0: positions(view.x, [state.point])[0],
  x1: positions(view.x, [state.point])[0], line: { color: ink("--ink"), width: 1.5, dash: "dot" } });

function markSelection() {
  if (!isMap()) return Plotly.relayout(overview, { shapes: [cursor()] });
  return Plotly.restyle(overview, { x: [positions(view.x, [state.point])], y: [positions(view.y, [state.point])] },
    [overview.data.length - 1]);
}

function onKey(event) {
  const [axis, by] = { ArrowLeft: [view.x, -1], ArrowRight: [view.x, 1], ArrowDown: [view.y, -1], ArrowUp: [view.y, 1] }[event.key] || [];
  if (axis === undefined || event.target !== overview) return;
  event.preventDefault();
  show(onGrid ? stepped(axis, by) : nearest(axis, by));
}

function stepped(axis, by) {
  const order = ranked(axis);
  const at = Math.min(Math.max(order.indexOf(placeOf(state.point, axis)) + by, 0), order.length - 1);
  return moved(state.point, axis, order[at]);
}

// The nearest point of a list on that side.
function nearest(axis, by) {
  const spans = wide.slice(0, 2).map((a) => { const v = numbers(report.axes[a].values); return [a, Math.max(...v) - Math.min(...v) || 1]; });
  const step = (a, p) => along(a, p) - along(a, state.point);
  const far = (p) => spans.reduce((sum, [a, span]) => sum + (step(a, p) / span * (a === axis ? 1 : 3)) ** 2, 0);
  const there = pointsShown().filter((p) => step(axis, p) * by > 0);
  return there.reduce((best, p) => (far(p) < far(best) ? p : best), there[0] === undefined ? state.point : there[0]);
}

function fillOverview() {
  byId("overview").hidden = report.count < 2;
  if (report.count < 2) return;
  const rest = report.columns.filter((c) => !report.first.includes(c.name) && !c.name.startsWith("candidates.")
    && Array.from(numbers(c.values)).some(Number.isFinite)).map((c) => c.name);
  const named = report.words.filter((w) => w.words.length > 1 && w.words.length < 20 && !w.name.includes(".")).map((w) => w.name);
  const shownNames = [...new Set([report.phases, ...report.first, ...named, ...rest])].filter(Boolean);
  const options = shownNames.map((name) => [name, (columns.get(name) || words.get(name) || { title: name }).title]);
  if (!isMap() && report.candidates.length) { options.unshift(["energies", "energies of all candidates"]); view.what = "energies"; }
  view.what = view.what || shownNames[0];
  const place = byId("choices");
  place.append(choice("Show", options, view.what, (name) => { view.what = name; drawOverview(); }));
  if (wide.length > 2) {
    for (const which of ["x", "y"]) {
      place.append(choice(which === "x" ? "across" : "up", wide.map((i) => [i, report.axes[i].label]), view[which], (chosen) => {
        const other = which === "x" ? "y" : "x";
        if (Number(chosen) === view[other]) view[other] = view[which];
        view[which] = Number(chosen);
        for (const [i, s] of [view.x, view.y].entries()) place.querySelectorAll("select")[i + 1].value = s;
        drawOverview();
      }));
    }
  }
  byId("hint").textContent = "Click a point, or focus the chart and use the arrow keys; the sliders below do the same.";
  overview.addEventListener("keydown", onKey);
}

let sliders = [];

function fillSliders() {
  const place = byId("sliders");
  place.replaceChildren();
  sliders = [];
  if (report.count < 2) return;
  if (!onGrid) {
    const one = slider("point", report.count, state.point, (i) => `${i + 1} of ${report.count}`, show);
    sliders.push({ ...one, place: () => state.point });
    place.append(one.row);
    return;
  }
  for (const axis of wide) {
    const order = ranked(axis);
    const tell = (i) => said(axis, moved(0, axis, order[i]));
    const at = () => order.indexOf(placeOf(state.point, axis));
    const one = slider(report.axes[axis].label, order.length, at(), tell, (i) => show(moved(state.point, axis, order[i])));
    sliders.push({ ...one, place: at });
    place.append(one.row);
  }
}

// ---- the point shown

let drawnSlice = "";
const sliceOf = (point) => (onGrid ? wide.filter((i) => i !== view.x && i !== view.y).map((i) => placeOf(point, i)).join() : "");

function show(point) {
  state.point = point;
  for (const one of sliders) one.show(one.place());
  fillPoint();
  if (report.count > 1) {
    const slice = sliceOf(point);
    if (slice !== drawnSlice) drawOverview(); else markSelection();
    drawnSlice = slice;
  }
}

function fillPoint() {
  const point = state.point;
  const where = report.axes.map((a, i) => `${a.label} = ${said(i, point)}`).join(", ");
  const phase = report.phases ? word(report.phases, point) : "";
  byId("point-title").textContent = [where || report.kind, phase, word("status", point)].filter(Boolean).join(" \u00b7 ");
  const cautions = report.cautions.filter((c) => numbers(c.points).length === 0 || numbers(c.points).includes(point)).map((c) => c.text);
  if (word("reason", point) && !cautions.includes(word("reason", point))) cautions.push(word("reason", point));
  byId("cautions").replaceChildren(...[...new Set(cautions)].map((c) => make("li", c)));
  drawEnergies(byId("energies"), point);
  const main = report.columns.filter((c) => report.first.includes(c.name) || MAIN.includes(c.name.split(".")[0]));
  fillNumbers(byId("numbers"), main, []);
  fillAll();
  fillStudy();
  drawPanels();
}

function fillNumbers(place, some, more) {
  const rows = some.filter((c) => Number.isFinite(value(c.name, state.point))).map((c) => {
    const cell = make("td", shown(value(c.name, state.point) * unit(c.unit).factor), { className: "number" });
    cell.dataset.name = c.name;
    const label = make("span", c.title, { title: c.meaning });
    return [label, cell, make("td", unit(c.unit).name, { className: "unit" })];
  });
  const table = make("table");
  table.append(...tableOf(more.map((w) => [w.title, make("td", word(w.name, state.point), { colSpan: 2 })])), ...tableOf(rows));
  place.replaceChildren(table);
}

function fillAll() {
  byId("every").querySelector("summary").textContent = `All ${report.columns.length + report.words.length} entries of this point`;
  if (!byId("every").open) return;
  const wanted = byId("find").value.toLowerCase();
  const has = (c) => `${c.name} ${c.title}`.toLowerCase().includes(wanted);
  fillNumbers(byId("all"), report.columns.filter(has), report.words.filter(has).filter((w) => word(w.name, state.point)));
}

let form = report.studies.toml.length ? "toml" : "";

function fillStudy() {
  const texts = { toml: snippet(report.studies.toml, state.point), python: snippet(report.studies.python, state.point),
    whole: report.studies.whole };
  byId("study").textContent = texts[form] || "The file does not hold its study.";
}

async function copy() {
  const told = byId("study").textContent;
  try {
    await navigator.clipboard.writeText(told);
    byId("copied").textContent = "copied";
  } catch {
    getSelection().selectAllChildren(byId("study"));
    byId("copied").textContent = document.execCommand("copy") ? "copied" : "selected: copy it with your keyboard";
  }
}

// ---- charts of the point

let drawnPanels = null;
let redraw = [];

function drawPanels() {
  const panels = report.panels[state.point] || [];
  if (drawnPanels !== panels) {
    for (const chart of byId("panels").querySelectorAll(".chart")) Plotly.purge(chart);
    byId("panels").replaceChildren();
    redraw = panels.map((panel) => (panel.type === "map" ? mapPanel(panel) : curvePanel(panel)));
    drawnPanels = panels;
  }
  for (const again of redraw) again();
}

function framed(panel) {
  const frame = make("section");
  frame.append(make("h3", panel.title));
  byId("panels").append(frame);
  return frame;
}

function chartIn(frame) {
  const chart = make("div", "", { className: "chart" });
  chart.setAttribute("role", "img");
  frame.append(chart);
  return chart;
}

function curvePanel(panel) {
  const frame = framed(panel);
  const chart = chartIn(frame);
  if (panel.note) frame.append(make("p", panel.note, { className: "hint" }));
  return () => drawCurves(chart, panel);
}

function mapPanel(panel) {
  const frame = framed(panel);
  const now = { layer: 0, x: Math.floor(numbers(panel.x_values).length / 2), y: Math.floor(numbers(panel.y_values).length / 2) };
  if (panel.layers.length > 1) {
    frame.append(choice("Show", panel.layers.map((l, i) => [i, l.name]), 0, (i) => { now.layer = Number(i); again(); }));
  }
  const chart = chartIn(frame);
  if (panel.note) frame.append(make("p", panel.note, { className: "hint" }));
  const cuts = panel.cuts ? ["x", "y"].map((along) => {
    const held = along === "x" ? "y" : "x";
    const kept = numbers(panel[`${held}_values`]);
    const one = slider(`cut at ${panel[held].label || held}`, kept.length, now[held], (i) => withUnit(kept[i], panel[held].unit, 4),
      (i) => { now[held] = i; again(); });
    frame.append(one.row);
    return { along, held, one, chart: chartIn(frame) };
  }) : [];
  const again = () => {
    const drawn = drawMap(chart, panel, now.layer, now);
    for (const cut of cuts) { cut.one.show(now[cut.held]); drawCut(cut.chart, panel, now.layer, now, cut.along); }
    if (!chart.dataset.listens && cuts.length) {
      chart.dataset.listens = "yes";
      drawn.then(() => chart.on("plotly_click", (event) => {
        const [row, across] = event.points[0].pointIndex || [];
        if (across !== undefined) { now.x = across; now.y = row; again(); }
      }));
    }
  };
  return again;
}

// ---- the whole page

function drawAll() {
  document.documentElement.dataset.theme = state.theme;
  byId("theme").setAttribute("aria-pressed", state.theme === "dark");
  byId("theme").textContent = state.theme === "dark" ? "Light" : "Dark";
  fillSliders();
  if (report.count > 1) { drawOverview(); drawnSlice = sliceOf(state.point); }
  fillPoint();
}

function fillPage() {
  byId("title").textContent = report.title;
  byId("status").textContent = [report.kind, report.status, report.status === "converged" ? "" : report.advice].filter(Boolean).join(" \u00b7 ");
  byId("table").append(...tableOf(report.table));
  byId("origin").append(...tableOf([...report.origin, ...Object.entries(report.versions)]));
  byId("notes").append(...report.notes.map((note) => make("li", note)));
  byId("units").hidden = !report.real;
  radios(byId("units"), "units", [["atomic", "a\u2095, Ha\u2095"], ["real", "nm, meV"], ["kelvin", "nm, K"]], state.units,
    (chosen) => { state.units = chosen; drawAll(); });
  const forms = [["toml", "TOML"], ["python", "Python"]].concat(report.count > 1 ? [["whole", "the whole sweep"]] : []);
  byId("form").hidden = byId("copy").hidden = !form;
  radios(byId("form"), "form", forms, form, (chosen) => { form = chosen; byId("copied").textContent = ""; fillStudy(); });
  byId("copy").addEventListener("click", copy);
  byId("theme").addEventListener("click", () => { state.theme = state.theme === "dark" ? "light" : "dark"; drawAll(); });
  byId("every").addEventListener("toggle", fillAll);
  byId("find").addEventListener("input", fillAll);
}

state.theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
fillPage();
fillOverview();
// the first point that converged says more than one that did not
state.point = Math.max(0, Array.from({ length: report.count }, (_, i) => i).findIndex(converged));
drawAll();
if (report.count > 1) {
  overview.on("plotly_click", (event) => {
    const chosen = event.points.map((p) => p.customdata).find((p) => p !== undefined);
    if (chosen !== undefined) show(chosen);
  });
}
