// One metric: its chart or table, its labels and its series.
let plot = null, shown = null, asked = 0;
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [4, 2]];
const css = name => getComputedStyle(document.documentElement).getPropertyValue(name);
async function get(path) {
  const answer = await fetch(base + "live/api/" + path, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error((await answer.text()).trim());
  return answer.json();
}
function path() {
  const m = state.metrics.get(state.open), query = new URLSearchParams();
  for (const label of state.labels) query.append("label", label);
  if (m.scope) query.append("scope", m.scope);
  if ($("window").value > 900) query.append("step", "15");
  return "metrics/" + encodeURIComponent(m.name) + (query.size ? "?" + query : "");
}
function show(m, labels) {
  state.open = keyOf(m); state.labels = labels || [];
  $("detail").hidden = false; $("h-detail").textContent = m.name; shown = null;
  remember(); refresh(true).then(() => { $("detail").scrollIntoView(); $("h-detail").focus({ preventScroll: true }); });
}
function close() {
  const it = state.rows && state.rows.get(state.open);
  state.open = null; $("detail").hidden = true; remember(); draw(true);
  if (it) it.tr.querySelector("button").focus();
}
async function refresh(now) {
  const m = state.metrics.get(state.open), turn = ++asked;
  if (!m || (state.paused && !now)) return;
  let data;
  try { data = await get(path()); } catch (error) { $("about").textContent = error.message; return; }
  if (turn !== asked || state.open !== keyOf(m)) return;
  shown = data; drawDetail(data);
}
function points(data) {
  const history = data.history || { lines: {}, step: 1, until: 0 }, names = Object.keys(history.lines);
  const count = names.length ? history.lines[names[0]].length : 0, keep = Math.min(count, Math.round($("window").value / history.step));
  const times = Array.from({ length: keep }, (_, at) => history.until - (keep - 1 - at) * history.step);
  return { names, data: [times, ...names.map(name => history.lines[name].slice(count - keep))] };
}
function drawDetail(data) {
  const m = data.metric, { names, data: values } = points(data);
  $("about").textContent = [m.description, m.kind.replace(/_/g, "-"), m.unit && "in " + m.unit, data.series_count + " series", m.visibility === "private" ? "private" : "", m.place, "on pages " + m.prometheus].filter(Boolean).join(" · ");
  const twin = $("twin").getAttribute("aria-pressed") === "true";
  $("chart").hidden = twin; $("chart-table").hidden = !twin;
  if (twin) {
    const it = el("table", {});
    table(it, ["Time", ...names], values[0].map((time, at) => row("td", new Date(time * 1e3).toLocaleTimeString(), ...names.map((name, n) => num(name === "rate" || name === "failed" ? short(values[n + 1][at]) : inUnit(values[n + 1][at], m.unit))))).reverse());
    fill($("chart-table"), it);
  } else if (values[0].length) drawPlot(m, names, values);
  else {
    if (plot) plot.it.destroy();
    plot = null;
    fill($("chart"), el("p", {}, data.history ? "The first values come with the next seconds." : ""));
  }
  $("since").textContent = !state.labels.length ? "" : !data.history ? "The history of single series has no room; raise live_lines." : "The history of these series began when they were looked at first.";
  $("largest").textContent = data.series.length < data.series_count ? `The ${data.series.length} largest of ${data.series_count} series; labels choose others.` : "";
  fill($("labels"), state.labels.map(label => el("button", { class: "chip", on: () => show(state.metrics.get(state.open), state.labels.filter(other => other !== label)), "aria-label": "Without " + label }, label + " ×")),
    data.available_labels.map(label => el("details", { "data-key": label.key, open: openLabels.has(label.key) }, el("summary", {}, `${label.key} (${label.count})`), label.values.map(one => el("button", { class: "chip", on: () => show(state.metrics.get(state.open), [...state.labels, label.key + ":" + one.value]) }, `${one.value === "" ? "(empty)" : one.value} · ${one.series}`)))));
  $("labels").querySelectorAll("details").forEach(it => it.addEventListener("toggle", () => it.open ? openLabels.add(it.dataset.key) : openLabels.delete(it.dataset.key)));
  const columns = data.series.length ? Object.keys(data.series[0]).filter(key => !/^(labels|started|assertion)$/.test(key)) : [];
  table($("series"), ["Series", ...columns], data.series.map(one => row("td", seriesButton(one), ...columns.map(key => num(key === "count" ? short(one[key]) : inUnit(one[key], m.unit))))));
}
// A series by all of its labels, which leads to its own history.
function seriesButton(one) {
  const labels = Object.entries(one.labels), text = labels.map(([key, value]) => `${key}="${value}"`).join(", ");
  return text && shown.series_count > 1 ? el("button", { on: () => show(state.metrics.get(state.open), labels.map(([key, value]) => key + ":" + value)) }, text) : text || "no labels";
}
const openLabels = new Set();
function drawPlot(m, names, values) {
  const key = state.open + names.join() + document.documentElement.dataset.theme, width = Math.max(280, $("chart").clientWidth);
  if (plot && plot.key === key) { plot.it.setSize({ width, height: 240 }); plot.it.setData(values); legend(values); return; }
  if (plot) plot.it.destroy();
  fill($("chart"));
  const perSecond = name => name === "rate" || name === "failed";
  const axis = scale => ({ scale, stroke: css("--fg"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") }, size: 76, values: (_, list) => list.map(value => value === null ? "" : scale === "r" ? short(value) + " /s" : inUnit(value, m.unit)) });
  const scales = [...new Set(names.map(name => perSecond(name) ? "r" : "v"))];
  const options = { width, height: 240, cursor: { sync: { key: "live" } }, scales: { x: { time: true } },
    axes: [{ stroke: css("--fg"), grid: { stroke: css("--line"), width: 1 } }, ...scales.map((scale, at) => ({ ...axis(scale), side: at ? 1 : 3, grid: { show: !at, stroke: css("--line") } }))],
    series: [{ label: "time" }, ...names.map((name, at) => ({ label: name, scale: perSecond(name) ? "r" : "v", stroke: css("--c" + at % 5), dash: dashes[at % 5], width: 2, points: { show: false }, value: (_, value) => perSecond(name) ? short(value) + " /s" : inUnit(value, m.unit) }))] };
  plot = { key, it: new uPlot(options, values, $("chart")) };
  legend(values);
  const canvas = $("chart").querySelector("canvas");
  canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", "Chart of " + m.name + "; the button Table shows its values");
}
// Where nobody points at a moment it has the values of the last one.
function legend(values) {
  const mine = plot;
  // The chart draws itself, and its legend, once this is over.
  queueMicrotask(() => { if (mine === plot && (mine.it.cursor.idx === null || mine.it.cursor.idx === undefined)) mine.it.setLegend({ idx: values[0].length - 1 }); });
}
