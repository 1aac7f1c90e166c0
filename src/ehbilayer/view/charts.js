// Charts, all of them by Plotly: what differs from its defaults is said here. Colours are Okabe and Ito's, lines and
// markers differ in shape, too.

const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00"];
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash", "longdashdot"];
const SYMBOLS = ["circle", "square", "diamond", "triangle-up", "cross", "x"];
const CONFIG = { responsive: true, displaylogo: false, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };
const BRANCHES = "branch"; // the colour of curves that are not told apart

// Plotly reads tags in texts: those of a result are none.
const text = (plain) => String(plain).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const narrow = () => window.innerWidth < NARROW;

function axis(label, more = {}) {
  return { title: { text: text(label), standoff: 8 }, automargin: true, gridcolor: ink("--line"), zeroline: false,
    linecolor: ink("--line"), exponentformat: "power", showexponent: "all", ...more };
}

function layout(height, x, y, more = {}) {
  return { height, xaxis: x, yaxis: y, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    modebar: { bgcolor: "rgba(0,0,0,0)", color: ink("--soft"), activecolor: ink("--ink") },
    font: { color: ink("--ink"), size: 13 }, margin: { l: 50, r: 10, t: 10, b: 40 }, showlegend: false,
    legend: { orientation: "h", y: -0.25, yanchor: "top", x: 0 }, dragmode: narrow() ? false : "zoom",
    hoverlabel: { align: "left", namelength: -1 }, ...more };
}

function draw(place, traces, how, label) {
  place.setAttribute("aria-label", label);
  return Plotly.react(place, traces, how, CONFIG);
}

// A scale with ends that are the same all along each of n colours.
function steps(colours) {
  const n = colours.length;
  return colours.flatMap((colour, i) => [[i / n, colour], [(i + 1) / n, colour]]);
}

function keyOf(names, colours) {
  return names.map((name, i) => ({ type: "scatter", mode: "markers", x: [null], y: [null], name: text(name), showlegend: true,
    marker: { color: colours[i], symbol: "square", size: 13 }, hoverinfo: "skip" }));
}

const bar = (label) => ({ thickness: 12, title: { text: text(label), side: "right" }, outlinewidth: 0,
  exponentformat: "power", showexponent: "all" });

// ---- a chart of curves

function curveTrace(curve, i, panel, legend) {
  const y = Array.from(inUnits(numbers(curve.y), panel.y));
  const branch = curve.colour === BRANCHES;
  const colour = branch ? ink("--accent") : curve.colour || COLOURS[i % COLOURS.length];
  const hollow = curve.name === "empty";
  return { type: "scatter", mode: curve.points ? "markers" : "lines", name: text(curve.name), showlegend: legend && !branch,
    x: Array.from(inUnits(numbers(curve.x), panel.x)), y, hoverinfo: "x+y+name",
    line: { color: colour, width: 2, dash: curve.dashed ? "dash" : branch ? "solid" : DASHES[i % DASHES.length] },
    marker: { color: colour, size: panel.plan ? 9 : 5, symbol: SYMBOLS[i % SYMBOLS.length] + (hollow ? "-open" : "") },
    error_y: curve.error ? { type: "data", array: Array.from(inUnits(numbers(curve.error), panel.y)), thickness: 1,
      color: colour } : { visible: false } };
}

function drawCurves(place, panel) {
  const marks = panel.marks.length ? { tickvals: Array.from(times(panel.marks.map((m) => m.at), unit(panel.x.unit).factor)),
    ticktext: panel.marks.map((m) => text(m.name)) } : {};
  const many = panel.curves.length > 1 && panel.curves.some((c) => c.colour !== BRANCHES);
  const x = axis(labelled(panel.x.label, panel.x.unit), { type: panel.x.log ? "log" : "linear", ...marks });
  const y = axis(labelled(panel.y.label, panel.y.unit), panel.plan ? { scaleanchor: "x" } : {});
  return draw(place, panel.curves.map((c, i) => curveTrace(c, i, panel, many)),
    layout(panel.plan ? 420 : 320, x, y, { showlegend: many }), panel.title);
}

// ---- a chart of a map with its cuts

function mapTrace(panel, layer) {
  const rows = numbers(panel.layers[layer].z);
  const factor = unit(panel.z.unit).factor;
  const z = rows.map((row) => Array.from(row, (v) => (panel.z.log ? Math.log10(Math.max(v, 1e-3)) : v * factor)));
  const worded = panel.words.length > 0;
  const colours = panel.words.map((w, i) => report.colours[w] || COLOURS[i % COLOURS.length]);
  const label = panel.z.log ? `log\u2081\u2080 ${panel.z.label}` : labelled(panel.z.label, panel.z.unit);
  return { type: "heatmap", z, x: Array.from(inUnits(numbers(panel.x_values), panel.x)),
    y: Array.from(inUnits(numbers(panel.y_values), panel.y)), showscale: !worded, colorbar: bar(label),
    colorscale: worded ? steps(colours) : panel.colour, hoverongaps: false,
    ...(worded ? { zmin: -0.5, zmax: panel.words.length - 0.5, hoverinfo: "x+y+text",
      text: z.map((row) => row.map((code) => text(panel.words[code] || ""))) } : { hoverinfo: "x+y+z" }) };
}

function drawMap(place, panel, layer, at) {
  const x = axis(labelled(panel.x.label, panel.x.unit), { type: panel.x.log ? "log" : "linear", constrain: "domain" });
  const y = axis(labelled(panel.y.label, panel.y.unit), { type: panel.y.log ? "log" : "linear",
    ...(panel.plan ? { scaleanchor: "x", constrain: "domain" } : {}) });
  const heat = mapTrace(panel, layer);
  const lines = panel.lines.map((c, i) => ({ ...curveTrace(c, i, { x: panel.x, y: panel.y }, true), hoverinfo: "skip" }));
  const range = panel.lines.length ? { range: [Math.min(...heat.y), Math.max(...heat.y)] } : {};
  const colours = panel.words.map((w, i) => report.colours[w] || COLOURS[i % COLOURS.length]);
  const shapes = panel.cuts ? [{ type: "line", xref: "x", yref: "paper", x0: heat.x[at.x], x1: heat.x[at.x], y0: 0, y1: 1 },
    { type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: heat.y[at.y], y1: heat.y[at.y] }]
    .map((s) => ({ ...s, line: { color: "#ffffff", width: 1.5, dash: "dot" } })) : [];
  if (panel.lines.length) x.range = [Math.min(...heat.x), Math.max(...heat.x)];
  return draw(place, [heat, ...lines, ...keyOf(panel.words, colours)],
    layout(narrow() ? 340 : 430, x, { ...y, ...range }, { showlegend: panel.lines.length + panel.words.length > 0, shapes }),
    panel.title);
}

function drawCut(place, panel, layer, at, which) {
  const rows = numbers(panel.layers[layer].z);
  const across = which === "x"; // along x, at one y
  const along = across ? panel.x : panel.y;
  const held = across ? panel.y : panel.x;
  const values = across ? Array.from(rows[at.y]) : rows.map((row) => row[at.x]);
  const where = numbers(across ? panel.y_values : panel.x_values)[across ? at.y : at.x];
  const label = `at ${held.label || (across ? "y" : "x")} = ${withUnit(where, held.unit, 4)}`;
  const trace = { type: "scatter", mode: "lines", x: Array.from(inUnits(numbers(across ? panel.x_values : panel.y_values), along)),
    y: Array.from(inUnits(values, panel.z)), line: { color: COLOURS[across ? 0 : 1], width: 2 }, hoverinfo: "x+y" };
  return draw(place, [trace], layout(230, axis(labelled(along.label, along.unit), { type: along.log ? "log" : "linear" }),
    axis(labelled(panel.z.label, panel.z.unit), { type: panel.z.log ? "log" : "linear" }),
    { margin: { l: 50, r: 10, t: 30, b: 40 }, title: { text: text(label), font: { size: 13 }, x: 0.02, y: 0.97 } }),
  `${panel.title}, cut ${label}`);
}

// ---- the candidates of a point

function drawEnergies(place, point) {
  const found = report.candidates.map((name) => ({ name, energy: value(`energies.${name}`, point) }))
    .filter((one) => Number.isFinite(one.energy)).sort((a, b) => b.energy - a.energy);
  place.hidden = found.length === 0;
  if (!found.length) return;
  const lowest = found[found.length - 1].energy;
  const scale = (columns.get(`energies.${found[0].name}`) || { unit: "Ha_h" }).unit;
  const factor = unit(scale).factor;
  const errors = found.map((f) => value(`candidates.${f.name}.error`, point) * factor);
  const sampled = errors.some((e) => e > 0); // of Monte Carlo: bars of errors stand where the labels would be
  const labels = found.map((f) => (f.energy === lowest ? `lowest, ${text(withUnit(f.energy, scale, 7))}`
    : `+${text(withUnit(f.energy - lowest, scale, 4))}`));
  const bars = { type: "bar", orientation: "h", x: found.map((f) => (f.energy - lowest) * factor),
    y: found.map((f, i) => text(f.name) + (sampled ? `<br>${labels[i]}` : "")), hoverinfo: "text", cliponaxis: false,
    textposition: sampled ? "none" : "outside", constraintext: "none", text: labels,
    hovertext: found.map((f) => text(`${f.name}: ${withUnit(f.energy, scale)}` +
      (word(`ended_as.${f.name}`, point) ? `, ended as ${word(`ended_as.${f.name}`, point)}` : ""))),
    marker: { color: found.map((f) => report.colours[f.name] || COLOURS[0]) },
    error_x: { type: "data", visible: sampled, array: errors.map((e) => e || 0) } };
  const most = Math.max(...bars.x, factor * 1e-12);
  draw(place, [bars], layout(70 + 34 * found.length, axis(`energy per hole above the lowest (${unit(scale).name})`,
    { range: [-0.02 * most, most * 1.6], rangemode: "tozero" }), axis("", { type: "category", ticksuffix: " " }),
  { dragmode: false }), "Energies of all candidates");
}
