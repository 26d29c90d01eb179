"use strict";
// Draws the course of a load as an SVG: one line for each colour, failures, the slowest request,
// and the moments that were marked.

const SWATCHES = { blue: "var(--blue)", green: "var(--green)", "": "var(--other)" };

function swatch(color) {
  return SWATCHES[color] ?? "var(--other)";
}

function element(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// Adds up bins of a tenth of a second until no more than `most` are left.
function thinned(bins, most) {
  const step = Math.max(1, Math.ceil(bins.length / most));
  const thin = [];
  for (let at = 0; at < bins.length; at += step) {
    const sum = { by_color: {}, failed: 0, slowest_ms: 0 };
    const some = bins.slice(at, at + step);
    for (const bin of some) {
      for (const [color, count] of Object.entries(bin.by_color))
        sum.by_color[color] = (sum.by_color[color] ?? 0) + count;
      sum.failed += bin.failed;
      sum.slowest_ms = Math.max(sum.slowest_ms, bin.slowest_ms);
    }
    thin.push(sum);
  }
  // The last one is not full yet as a rule.
  return { bins: thin, seconds: step / 10 };
}

function rounded(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 1)));
  for (const factor of [1, 2, 5, 10]) if (value <= factor * power) return factor * power;
  return 10 * power;
}

// Plots several lines over time into `svg`.
function plot(svg, title, lines, seconds, marks, changes, unit) {
  const width = 960, height = 200, left = 64, top = 26, bottom = 24;
  svg.replaceChildren();
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  const count = Math.max(2, ...lines.map((line) => line.values.length));
  const highest = rounded(Math.max(1, ...lines.flatMap((line) => line.values)));
  svg.setAttribute("aria-label", `${title}: up to ${highest} ${unit} over ${Math.round(count * seconds)} seconds`);
  const x = (at) => left + (at / (count - 1)) * (width - left - 12);
  const y = (value) => top + (1 - value / highest) * (height - top - bottom);
  for (const part of [0, 0.5, 1]) {
    const at = y(highest * part);
    svg.append(element("line", { class: "grid", x1: left, x2: width - 12, y1: at, y2: at }));
    svg.append(element("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, `${highest * part}`));
  }
  svg.append(element("text", { x: 8, y: 14 }, `${title}, ${unit}`));
  const end = Math.round((count - 1) * seconds);
  svg.append(element("text", { x: width - 12, y: height - 8, "text-anchor": "end" }, `${end} s`));
  for (const change of changes) {
    const at = x(Math.min(change.at / seconds, count - 1));
    const tick = element("line", { class: "change", x1: at, x2: at, y1: height - bottom, y2: height - bottom + 7 });
    tick.append(element("title", {}, `${change.label} at ${change.at.toFixed(1)} s`));
    svg.append(tick);
  }
  let row = 0;
  for (const mark of marks) {
    const at = x(Math.min(mark.at / seconds, count - 1));
    svg.append(element("line", { class: "mark", x1: at, x2: at, y1: top, y2: height - bottom }));
    const anchor = at > width - 160 ? "end" : "start";
    const text = { class: "mark-text", x: anchor === "end" ? at - 4 : at + 4, y: top + 12 + 13 * (row % 4), "text-anchor": anchor };
    svg.append(element("text", text, mark.label));
    row += 1;
  }
  for (const line of lines) {
    const points = line.values.map((value, at) => `${x(at).toFixed(1)},${y(value).toFixed(1)}`);
    svg.append(element("polyline", { points: points.join(" "), fill: "none", stroke: line.stroke, "stroke-width": 1.75, "stroke-dasharray": line.dash ?? "" }));
  }
}

function plots(course, marks, changes, requests, latencies) {
  const { bins, seconds } = thinned(course, 480);
  const colors = [...new Set(bins.flatMap((bin) => Object.keys(bin.by_color)))].sort();
  const dashes = { green: "", blue: "7 2" };
  const lines = colors.map((color) => ({
    name: color || "no colour", stroke: swatch(color), dash: dashes[color] ?? "2 2",
    values: bins.map((bin) => (bin.by_color[color] ?? 0) / seconds),
  }));
  lines.push({ name: "failed", stroke: "var(--bad)", values: bins.map((bin) => bin.failed / seconds) });
  plot(requests, "answers by colour, and failures", lines, seconds, marks, changes, "a second");
  const slowest = [{ name: "slowest", stroke: "var(--accent)", values: bins.map((bin) => bin.slowest_ms) }];
  plot(latencies, "the slowest request", slowest, seconds, marks, changes, "milliseconds");
  return lines;
}

function keys(container, lines) {
  container.replaceChildren(...lines.map((line) => {
    const key = document.createElement("span");
    key.className = "key";
    key.style.setProperty("--swatch", line.stroke);
    key.textContent = line.name;
    return key;
  }));
}

function scoreTable(table, scores) {
  const heads = ["phase", "seconds", "requests", "failed", "misrouted", "mixed", "p50 ms", "p99 ms", "max ms", "skew ms"];
  const head = document.createElement("tr");
  head.append(...heads.map((text, at) => {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = text;
    if (at > 0) cell.className = "number";
    return cell;
  }));
  const rows = scores.map((score) => {
    const row = document.createElement("tr");
    const values = [score.label, score.seconds.toFixed(1), score.requests, score.failed, score.misrouted, score.mixed,
      score.p50_ms.toFixed(1), score.p99_ms.toFixed(1), score.max_ms.toFixed(1), score.skew_ms === null ? "–" : score.skew_ms.toFixed(1)];
    row.append(...values.map((value, at) => {
      const cell = document.createElement("td");
      cell.textContent = value;
      if (at > 0) cell.className = "number";
      if ((at === 3 || at === 4) && value > 0) cell.classList.add("bad");
      return cell;
    }));
    return row;
  });
  table.replaceChildren(head, ...rows);
}
