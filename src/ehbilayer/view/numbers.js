"use strict";
// The data of the report, its arrays decoded when they are asked for, numbers in the units chosen.

const report = JSON.parse(document.getElementById("data").textContent);
const NARROW = 700; // pixels below which a screen is a small one
const state = { point: 0, units: report.real && report.reads_real ? "real" : "atomic", theme: "light" };

const ARRAYS = { f8: Float64Array, f4: Float32Array, i4: Int32Array, u1: Uint8Array };
const decoded = new Map();

// The numbers of an array of the report; z of a map as rows.
function numbers(kept) {
  if (!decoded.has(kept)) {
    const bytes = Uint8Array.from(atob(kept.base64), (letter) => letter.charCodeAt(0));
    const flat = new ARRAYS[kept.type](bytes.buffer);
    const width = kept.shape ? kept.shape[1] : 0;
    decoded.set(kept, width ? Array.from({ length: kept.shape[0] }, (_, i) => flat.subarray(i * width, (i + 1) * width))
      : flat);
  }
  return decoded.get(kept);
}

// A unit of the result as it is chosen now: its name in print, and the factor of its numbers.
const unit = (name) => (report.units[name] || report.units["1"])[state.units];
const times = (values, factor) => (factor === 1 ? values : values.map((value) => value * factor));
const inUnits = (values, scale) => times(values, unit(scale.unit).factor);

function labelled(words, name) {
  const chosen = unit(name).name;
  return chosen ? (words ? `${words} (${chosen})` : chosen) : words;
}

// A number to the digits that the report keeps; a dash for none.
function shown(value, digits = report.digits) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(digits))).replace("-", "\u2212") : "\u2013";
}

function withUnit(value, name, digits) {
  const chosen = unit(name);
  return `${shown(value * chosen.factor, digits)} ${chosen.name}`.trim();
}

const columns = new Map(report.columns.map((column) => [column.name, column]));
const words = new Map(report.words.map((column) => [column.name, column]));
const value = (name, point) => (columns.has(name) ? numbers(columns.get(name).values)[point] : NaN);
const word = (name, point) => (words.has(name) ? words.get(name).words[numbers(words.get(name).codes)[point]] : "");
const converged = (point) => !words.has("status") || word("status", point) === "converged";

// Points of a grid by their places along the axes, the last axis running fastest.
const onGrid = report.shape.length > 0;
const strides = report.shape.map((_, i) => report.shape.slice(i + 1).reduce((a, b) => a * b, 1));
const placeOf = (point, axis) => Math.floor(point / strides[axis]) % report.shape[axis];
const moved = (point, axis, place) => point + (place - placeOf(point, axis)) * strides[axis];
const along = (axis, point) => numbers(report.axes[axis].values)[onGrid ? placeOf(point, axis) : point];

// What an axis says at a point, in words.
function said(axis, point) {
  const found = report.axes[axis];
  return found.names.length ? found.names[along(axis, point)] : withUnit(along(axis, point), found.unit, 6);
}

const saidAs = (axis, point) => report.axes[axis].said[onGrid ? placeOf(point, axis) : point];
const snippet = (pieces, point) => pieces.map((p) => (typeof p === "number" ? saidAs(p, point) : p)).join("");
