"use strict";
// The live page: keeps what events tell, and draws it once a second, or every five where less motion is wished.
(() => {
const $ = id => document.getElementById(id);
const base = location.pathname.replace(/\/(live\/?)?$/, "/");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const state = { rows: null, metrics: new Map(), health: null, time: 0, series: 0, history: {}, paused: false, open: null, labels: [], at: 0 };
const keyOf = m => m.scope + "\n" + m.name;

// Elements, never markup: what a program calls its metrics is shown as text.
function el(name, attributes, ...children) {
  const it = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "on") it.addEventListener("click", value);
    else if (value !== null && value !== false) it.setAttribute(key, value === true ? "" : value);
  }
  it.append(...children.flat().filter(child => child !== null && child !== undefined));
  return it;
}
// Whoever is at a button stays at the one that is called the same.
function fill(it, ...children) {
  const focused = it.contains(document.activeElement) && document.activeElement !== it ? document.activeElement : null;
  it.replaceChildren(...children.flat());
  if (!focused || it.contains(focused)) return;
  const name = focused.getAttribute("aria-label") || focused.textContent;
  const same = [...it.querySelectorAll("button, summary")].find(other => (other.getAttribute("aria-label") || other.textContent) === name);
  if (same) same.focus({ preventScroll: true });
}
const row = (tag, ...cells) => el("tr", {}, cells.map(cell => cell instanceof Node && /^T[DH]$/.test(cell.nodeName) ? cell : el(tag, tag === "th" ? { scope: "col" } : {}, cell)));
const num = text => el("td", { class: "n" }, text);
const table = (it, heads, rows) => fill(it, el("thead", {}, row("th", ...heads)), el("tbody", {}, rows));

// Numbers and times, as people read them.
function short(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  const size = Math.abs(value);
  for (const [at, word] of [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e4, "k"]]) {
    if (size >= at) return (value / (at === 1e4 ? 1e3 : at)).toPrecision(3) + " " + word;
  }
  return Number.isInteger(value) ? String(value) : size >= 0.001 || size === 0 ? String(+value.toPrecision(3)) : value.toExponential(1);
}
function inUnit(value, unit) {
  if (value === null || value === undefined) return "–";
  if (unit === "s") {
    const size = Math.abs(value);
    if (size > 1e8) return new Date(value * 1e3).toISOString().slice(0, 19).replace("T", " ");
    return size >= 120 ? ago(value) : size >= 1 || size === 0 ? +value.toPrecision(3) + " s" : size >= 1e-3 ? +(value * 1e3).toPrecision(3) + " ms" : +(value * 1e6).toPrecision(3) + " µs";
  }
  if (unit === "By") {
    const at = Math.min(4, Math.max(0, Math.floor(Math.log2(Math.abs(value) || 1) / 10)));
    return +(value / 1024 ** at).toPrecision(3) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][at];
  }
  if (unit === "1" && Math.abs(value) <= 1) return +(value * 100).toPrecision(3) + " %";
  const word = unit.replace(/[{}]/g, "");
  return short(value) + (word && word !== "1" ? " " + word : "");
}
function ago(seconds) {
  const s = Math.max(0, Math.round(seconds));
  return s < 120 ? s + " s" : s < 7200 ? Math.round(s / 60) + " min" : s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " days";
}
const many = (count, word) => count + " " + word + (count === 1 ? "" : "s");
const since = time => ago(state.time - time) + " ago";

// What a metric's first line is, and how its value reads.
const lead = m => m.kind === "gauge" || m.kind === "up_down_counter" ? m.now.value : m.now.rate;
function now(m) {
  if (m.kind === "histogram") return "p99 " + inUnit(m.now.p99, m.unit);
  if (m.kind === "counter") return inUnit(m.total.sum, m.unit);
  if (m.kind === "summary") return short(m.total.count);
  return inUnit(m.now.value, m.unit);
}
function spark(values, width, height) {
  const known = values.filter(value => value !== null);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`); svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true"); svg.setAttribute("class", "spark");
  if (known.length) {
    const low = Math.min(0, ...known), high = Math.max(...known, low + 1e-12);
    let line = "", pen = false;
    values.forEach((value, at) => {
      if (value === null) { pen = false; return; }
      line += (pen ? "L" : "M") + (at * width / 59).toFixed(1) + " " + (height - 1 - (value - low) / (high - low) * (height - 2)).toFixed(1);
      pen = true;
    });
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", line); svg.append(path);
  }
  return svg;
}

// What comes.
function push(m) { m.spark.push(lead(m) ?? null); if (m.spark.length > 60) m.spark.shift(); }
function full(data) {
  const fresh = new Map();
  data.metrics.forEach((m, at) => {
    const values = data.spark[at];
    m.spark = Array(Math.max(0, 60 - values.length)).fill(null).concat(values);
    fresh.set(keyOf(m), m);
  });
  Object.assign(state, { metrics: fresh, health: data.health, time: data.time, series: data.series, history: data.history, rows: null });
}
function change(data) {
  const passed = Math.min(60, Math.max(1, Math.round(data.time - state.time)));
  state.time = data.time; state.series = data.series;
  for (const m of data.metrics) {
    const known = state.metrics.get(keyOf(m));
    if (known) { Object.assign(known, m); known.at = data.time; }
    else { m.spark = Array(60).fill(null); m.at = data.time; state.metrics.set(keyOf(m), m); state.rows = null; }
  }
  for (const [name, scope] of data.gone) { state.metrics.delete(scope + "\n" + name); state.rows = null; }
  if (data.health) state.health = data.health;
  for (const m of state.metrics.values()) { for (let n = 1; n < passed; n++) { m.spark.push(null); m.spark.shift(); } push(m); }
}
let source, last = 0;
function listen() {
  source = new EventSource(base + "live/events");
  const take = how => event => { how(JSON.parse(event.data)); last = performance.now(); draw(); };
  source.addEventListener("full", take(full));
  source.addEventListener("change", take(change));
  source.onerror = () => { status(); if (source.readyState === 2) setTimeout(listen, 5000); };
}
function status() {
  const it = $("live"), is = performance.now() - last < 5000 && source.readyState === 1;
  const text = state.paused ? "❚❚ paused" : is ? "● live" : "○ not connected: the program has ended, or 8 others look";
  const kind = state.paused ? "warn" : is ? "ok" : "bad";
  if (it.textContent !== text) { it.textContent = text; it.className = kind; }
}

// What is shown, section by section.
const icons = { ok: "✓", waiting: "…", failing: "✗", stopped: "■" }, kinds = { ok: "ok", waiting: "dim", failing: "bad", stopped: "bad" };
let healthShown = "";
function drawHealth() {
  const health = state.health;
  if (!health) return;
  const id = health.identity;
  $("service").textContent = id["service.name"] || "metercast";
  document.title = (health.status === "ok" || health.status === "waiting" ? "" : "✗ ") + (id["service.name"] || "metercast") + " live";
  $("who").textContent = [id["service.version"], id["deployment.environment.name"], id["service.instance.id"] && "instance " + id["service.instance.id"].slice(0, 8)].filter(Boolean).join(" · ");
  // Told to who listens to the page only when it differs.
  const text = JSON.stringify(health);
  if (text === healthShown) {
    document.querySelectorAll("[data-since]").forEach(it => { it.textContent = since(+it.dataset.since); });
    return;
  }
  healthShown = text;
  const when = time => time === null ? "no success yet" : el("span", { "data-since": time, "aria-live": "off" }, since(time));
  const all = health.exporters.map(one => el("div", { class: "exporter" },
    el("b", { class: kinds[one.status] }, icons[one.status] + " " + one.name + " "), one.type + " " + one.status,
    one.private ? " · kept by the program" : [el("span", { class: "dim" }, " · ", when(one.last_success), one.took === null ? "" : " · took " + inUnit(one.took, "s"), one.points ? " · " + short(one.points) + " points in all" : "", one.failures ? " · failed " + one.failures + " times" : ""),
      el("p", {}, one.target, one.every ? ", every " + ago(one.every) : ""),
      one.error ? el("p", { class: "bad" }, one.error.text, one.error.since ? [" (since ", when(one.error.since), ", ", String(one.failures_in_a_row), " in a row)"] : "") : null]));
  if (health.reload) all.push(el("div", { class: "exporter" }, el("b", { class: health.reload.successful ? "ok" : "bad" }, health.reload.successful ? "✓ reload" : "✗ reload refused, the old configuration holds"), " ", when(health.reload.time), el("p", {}, health.reload.text)));
  if (!health.ready) all.push(el("div", { class: "exporter" }, el("b", { class: "bad" }, "✗ not ready"), el("p", {}, health.not_ready || "")));
  for (const problem of health.problems) all.push(el("div", { class: "exporter" }, el("b", { class: "warn" }, "! problem"), el("p", {}, problem)));
  fill($("health"), all.length ? all : el("p", {}, "No exporters: what is recorded stays in the process."));
  drawExporters();
}
const all = () => [...state.metrics.values()];
function main() {
  const timed = all().filter(m => m.kind === "histogram" && m.unit === "s" && !/^(otel\.sdk|metercast)\./.test(m.name));
  const score = m => (/^(http\.server|rpc\.server)\./.test(m.name) ? 1e12 : /server|request/.test(m.name) ? 1e6 : 0) + (m.total.count || 0);
  return timed.sort((a, b) => score(b) - score(a))[0];
}
function card(title, value, text, m, values) {
  return el("div", { class: "card" }, el("span", {}, title), el("b", {}, value), el("span", { class: "dim" }, text), values ? spark(values, 200, 22) : null,
    m ? el("button", { on: () => show(m), "aria-label": title + ": show " + m.name }, "show") : null);
}
function drawCards() {
  const m = main(), cards = [];
  if (m) {
    cards.push(card("Traffic", short(m.now.rate) + " /s", m.name, m, m.spark));
    const part = m.now.rate ? (m.now.failed || 0) / m.now.rate : 0;
    cards.push(card("Errors", m.now.rate === null ? "–" : +(part * 100).toPrecision(2) + " %", m.now.failed === undefined ? "no series says that something failed" : short(m.now.failed) + " /s with an error.type or a status of 5xx"));
    cards.push(card("Latency, p99", inUnit(m.now.p99, m.unit), "p50 " + inUnit(m.now.p50, m.unit) + " · p95 " + inUnit(m.now.p95, m.unit)));
  }
  const full = all().filter(m => (m.kind === "gauge" || m.kind === "up_down_counter") && /active|usage|utilization|queue|depth|pending|in_flight|waiting/.test(m.name) && !/^(otel\.sdk|metercast)\./.test(m.name));
  for (const one of full.slice(0, m ? 3 : 6)) cards.push(card("Saturation", inUnit(one.now.value, one.unit), one.name, one, one.spark));
  fill($("cards"), cards.length ? cards : el("p", {}, "Nothing measures requests yet: a histogram in seconds, such as http.server.request.duration, is shown here with its traffic, errors and latency."));
}
const mean = values => values.reduce((a, b) => a + b, 0) / values.length;
function rank() {
  const found = [];
  for (const one of (state.health || { exporters: [] }).exporters) if (one.error) found.push([1e6, "✗ exporter " + one.name + " is " + one.status + ", " + one.failures_in_a_row + " times in a row", null]);
  for (const m of state.metrics.values()) {
    if (/^(otel\.sdk|metercast)\./.test(m.name)) continue;
    if (m.series >= m.limit * 0.8 && m.limit > 0) found.push([5e5 + m.series / m.limit, m.series > m.limit ? `! ${m.name} is at its limit of ${m.limit} series` : `! ${m.name} has ${m.series} series of at most ${m.limit}`, m]);
    if (m.now.failed > 0) found.push([1e3 + m.now.failed, `! ${m.name}: ${short(m.now.failed)} of ${short(m.now.rate)} /s fail`, m]);
    const known = m.spark.filter(value => value !== null), newest = known.slice(-5), before = known.slice(0, -5);
    if (before.length < 10 || newest.length < 5) continue;
    const a = mean(before), b = mean(newest), size = Math.max(Math.abs(a), Math.abs(b));
    const spread = Math.sqrt(mean(before.map(value => (value - a) ** 2)));
    const ratio = size ? Math.abs(b - a) / size : 0;
    if (ratio >= 0.5 && Math.abs(b - a) > 3 * spread) found.push([ratio * 100, `${b > a ? "▲" : "▼"} ${m.name} ${b > a ? "rose" : "fell"} from ${short(a)} to ${short(b)}${m.kind === "gauge" || m.kind === "up_down_counter" ? "" : " /s"} in the last minute`, m]);
  }
  return found.sort((a, b) => b[0] - a[0]).slice(0, 6);
}
function drawChanges() {
  const found = rank();
  fill($("changed"), found.length ? found.map(([, text, m]) => el("li", {}, text, " ", m ? el("button", { on: () => show(m), "aria-label": "Show " + m.name }, "show") : null)) : el("li", {}, "Nothing stands out against the minute before."));
}
function wanted() {
  const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  const list = all().filter(m => { const text = (m.name + " " + m.kind + " " + m.unit + " " + m.description).toLowerCase(); return words.every(word => text.includes(word)); });
  const by = { name: (a, b) => 0, rate: (a, b) => (b.now.rate || 0) - (a.now.rate || 0), series: (a, b) => b.series - a.series, changed: (a, b) => (b.at || 0) - (a.at || 0) }[$("sort").value];
  return list.sort((a, b) => by(a, b) || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}
function drawTable() {
  const list = wanted(), group = $("group").value, body = $("table").tBodies[0];
  $("counts").textContent = `${list.length} of ${state.metrics.size} metrics, ${state.series} series` + (state.history.left_out ? `; ${state.history.left_out} lines of history had no room, raise live_lines` : "");
  const of = m => group === "name" ? m.name.split(/[._]/)[0] : group === "kind" ? m.kind : "";
  if (group) list.sort((a, b) => of(a) < of(b) ? -1 : of(a) > of(b) ? 1 : 0);
  // Rows stay, so that who is in one stays there.
  state.rows = state.rows || new Map();
  const rows = []; let before = null;
  for (const m of list) {
    const head = of(m);
    if (group && head !== before) { rows.push(el("tr", { class: "group" }, el("th", { colspan: 6, scope: "rowgroup" }, head))); before = head; }
    let it = state.rows.get(keyOf(m));
    if (!it) {
      const cells = [num(""), num(""), num(""), el("td", {})];
      const tr = el("tr", {}, el("td", {}, el("button", { on: () => show(m), title: m.description }, m.name + (m.scope ? " (" + m.scope + ")" : ""))), el("td", {}, m.kind.replace(/_/g, "-") + (m.visibility === "private" ? ", private" : "")), cells);
      state.rows.set(keyOf(m), it = { tr, cells, m, text: "" });
    }
    const text = [m.series, now(m), m.now.rate === undefined ? "" : short(m.now.rate)];
    text.forEach((text, at) => { if (it.cells[at].textContent !== String(text)) it.cells[at].textContent = text; });
    it.tr.setAttribute("aria-current", String(state.open === keyOf(m)));
    if (rows.length < 200) fill(it.cells[3], spark(m.spark, 120, 22));
    rows.push(it.tr);
  }
  if (rows.length !== body.rows.length || rows.some((tr, at) => body.rows[at] !== tr)) {
    const focused = document.activeElement;
    fill(body, rows);
    if (focused && focused !== document.activeElement && body.contains(focused)) focused.focus({ preventScroll: true });
  }
  $("empty").hidden = state.metrics.size > 0 || !state.time;
  if (!$("empty").hidden && !$("empty").firstChild) fill($("empty"),
    el("h3", {}, "Nothing is recorded yet"), el("p", {}, "Whatever the program records appears here within a second. Ask it something, for example:"),
    el("pre", {}, "curl http://localhost:3000/"), el("p", {}, "Or record something in it:"),
    el("pre", {}, "metercast::u64_counter!(\"orders.placed\", \"Orders accepted\", 1);"));
}

// One metric.
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
  const history = data.history, names = Object.keys(history.lines);
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
  } else drawPlot(m, names, values);
  fill($("labels"), state.labels.map(label => el("button", { class: "chip", on: () => show(state.metrics.get(state.open), state.labels.filter(other => other !== label)), "aria-label": "Without " + label }, label + " ×")),
    data.available_labels.map(label => el("details", { "data-key": label.key, open: openLabels.has(label.key) }, el("summary", {}, `${label.key} (${label.count})`), label.values.map(one => el("button", { class: "chip", on: () => show(state.metrics.get(state.open), [...state.labels, label.key + ":" + one.value]) }, `${one.value === "" ? "(empty)" : one.value} · ${one.series}`)))));
  $("labels").querySelectorAll("details").forEach(it => it.addEventListener("toggle", () => it.open ? openLabels.add(it.dataset.key) : openLabels.delete(it.dataset.key)));
  const columns = data.series.length ? Object.keys(data.series[0]).filter(key => key !== "labels" && key !== "started") : [];
  table($("series"), ["Series", ...columns], data.series.map(one => row("td", Object.entries(one.labels).map(([key, value]) => `${key}="${value}"`).join(", ") || "no labels", ...columns.map(key => num(key === "count" ? short(one[key]) : inUnit(one[key], m.unit))))));
}
const openLabels = new Set();
function drawPlot(m, names, values) {
  const key = state.open + names.join() + document.documentElement.dataset.theme, width = Math.max(280, $("chart").clientWidth);
  if (plot && plot.key === key) { plot.it.setSize({ width, height: 240 }); plot.it.setData(values); return; }
  if (plot) plot.it.destroy();
  fill($("chart"));
  const perSecond = name => name === "rate" || name === "failed";
  const axis = scale => ({ scale, stroke: css("--fg"), grid: { stroke: css("--line"), width: 1 }, ticks: { stroke: css("--line") }, size: 76, values: (_, list) => list.map(value => value === null ? "" : scale === "r" ? short(value) + " /s" : inUnit(value, m.unit)) });
  const scales = [...new Set(names.map(name => perSecond(name) ? "r" : "v"))];
  const options = { width, height: 240, cursor: { sync: { key: "live" } }, scales: { x: { time: true } },
    axes: [{ stroke: css("--fg"), grid: { stroke: css("--line"), width: 1 } }, ...scales.map((scale, at) => ({ ...axis(scale), side: at ? 1 : 3, grid: { show: !at, stroke: css("--line") } }))],
    series: [{ label: "time" }, ...names.map((name, at) => ({ label: name, scale: perSecond(name) ? "r" : "v", stroke: css("--c" + at % 5), dash: dashes[at % 5], width: 2, points: { show: false }, value: (_, value) => perSecond(name) ? short(value) + " /s" : inUnit(value, m.unit) }))] };
  plot = { key, it: new uPlot(options, values, $("chart")) };
  const canvas = $("chart").querySelector("canvas");
  canvas.setAttribute("role", "img"); canvas.setAttribute("aria-label", "Chart of " + m.name + "; the button Table shows its values");
}
function promql() {
  const m = state.metrics.get(state.open), quote = text => '"' + text.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n") + '"';
  const labels = state.labels.map(label => label.slice(0, label.indexOf(":")).replace(/[^a-zA-Z0-9_]/g, "_") + "=" + quote(label.slice(label.indexOf(":") + 1)));
  const of = suffix => m.prometheus + suffix + (labels.length ? "{" + labels.join(", ") + "}" : "");
  return m.kind === "counter" ? `sum(rate(${of("")}[1m]))` : m.kind === "histogram" ? `histogram_quantile(0.99, sum by (le) (rate(${of("_bucket")}[1m])))` : m.kind === "summary" ? `rate(${of("_sum")}[1m]) / rate(${of("_count")}[1m])` : of("");
}
async function copy(what) {
  const text = what === "promql" ? promql() : what === "link" ? location.href : `curl -s '${(location.origin + base + "live/api/" + path()).replace(/'/g, "%27")}'`;
  let done = "copied: ";
  try { await navigator.clipboard.writeText(text); } catch { done = ""; prompt("Copy this", text); }
  $("said").textContent = done + text;
}

// What is asked for now and then.
async function drawCardinality() {
  let data;
  try { data = await get("cardinality"); } catch { return; }
  $("fill").textContent = `${data.series} series, at most ${data.limit} with labels that the program text does not bound; ` + (data.overflowing ? many(data.overflowing, "metric") + " at the limit" : "no metric is at its limit");
  table($("cardinal"), ["Metric", "Series", "Limit", "Overflow", "Worst label", "Labels"], data.metrics.slice(0, 50).map(m => row("td", m.name, num(String(m.series)), num(String(m.limit)),
    el("td", { class: m.overflow ? "bad" : "" }, m.overflow ? "✗ " + short(m.overflow_total) : "none"), m.worst ? `${m.worst.key}, ${many(m.worst.values, "value")}` : "", m.labels.slice(1, 4).map(label => label.key + " " + label.values).join(", "))));
}
let exportersShown = "";
function drawExporters() {
  const names = state.health.exporters.map(one => one.name);
  if (names.join() === exportersShown) return;
  exportersShown = names.join();
  fill($("previews"), state.health.exporters.map(one => {
    const it = el("details", {}, el("summary", {}, one.name + (one.private ? " (kept by the program)" : "")));
    it.addEventListener("toggle", async () => {
      if (!it.open) return;
      const list = el("table", {}), text = el("p", {});
      try {
        const data = await get("exporters/" + encodeURIComponent(one.name) + "/preview");
        const resource = Object.entries(data.resource).map(([key, value]) => `${key}=${value}`).join(", ");
        text.textContent = `${data.metrics.length} metrics to ${data.target}` + (resource ? `, with ${resource}` : ", without attributes of the resource");
        table(list, ["Metric", "As", "Kind", "Attributes", "Visibility"], data.metrics.map(m => row("td", m.declared, m.name === m.declared ? "" : m.name, m.kind, m.attributes.join(", ") + (m.exemplar_attributes.length ? " (exemplars: " + m.exemplar_attributes.join(", ") + ")" : ""), m.visibility)));
      } catch (error) { text.textContent = error.message; }
      it.replaceChildren(it.firstChild, text, el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "What " + one.name + " lets out" }, list));
    });
    return it;
  }));
}
async function drawConfig() {
  let data;
  try { data = await get("config"); } catch { return; }
  table($("settings"), ["Key", "Value", "Source", "Overruled"], data.settings.map(one => row("td", one.key, one.value, one.source, one.overruled.join(", "))));
}

// What the address remembers, and what keys and buttons do.
function remember() {
  const m = state.metrics.get(state.open), hash = new URLSearchParams();
  if (m) { hash.set("metric", m.name); if (m.scope) hash.set("scope", m.scope); for (const label of state.labels) hash.append("label", label); }
  for (const id of ["filter", "sort", "group", "window"]) { const it = $(id), plain = { sort: "name", window: "900" }[id] || ""; if (it.value !== plain) hash.set(id, it.value); }
  history.replaceState(null, "", hash.size ? "#" + hash : location.pathname + location.search);
}
let linked = null;
function recall() {
  const text = location.hash.slice(1);
  if (!text.includes("=")) return;
  const hash = new URLSearchParams(text);
  for (const id of ["filter", "sort", "group", "window"]) if (hash.has(id)) $(id).value = hash.get(id);
  if (hash.has("metric")) linked = { key: (hash.get("scope") || "") + "\n" + hash.get("metric"), labels: hash.getAll("label") };
}
function pause() {
  state.paused = !state.paused;
  $("pause").setAttribute("aria-pressed", state.paused); $("pause").textContent = state.paused ? "Go on" : "Pause";
  status(); draw(true);
}
function theme(name) {
  document.documentElement.dataset.theme = name; $("theme").textContent = name === "dark" ? "Light" : "Dark";
  if (shown && state.open) drawDetail(shown);
}
function swapTheme() { const name = document.documentElement.dataset.theme === "dark" ? "light" : "dark"; try { localStorage.setItem("metercast-theme", name); } catch {} theme(name); }
function twin() { const it = $("twin"); it.setAttribute("aria-pressed", it.getAttribute("aria-pressed") !== "true"); if (shown) drawDetail(shown); }
let drawn = -1e9;
function draw(anyway) {
  status();
  if (!state.time || (!anyway && (state.paused || (calm && performance.now() - drawn < 5000)))) return;
  drawn = performance.now();
  drawHealth(); drawCards(); drawChanges(); drawTable();
  if (linked && state.metrics.has(linked.key)) { const { key, labels } = linked; linked = null; show(state.metrics.get(key), labels); }
  if (state.open && !anyway && state.time - state.at >= ($("window").value > 900 ? 15 : 2)) { state.at = state.time; refresh(); }
}
$("pause").onclick = pause; $("theme").onclick = swapTheme; $("twin").onclick = twin; $("close").onclick = close;
$("help-open").onclick = () => $("help").showModal(); $("help-close").onclick = () => $("help").close();
document.querySelectorAll("[data-copy]").forEach(it => { it.onclick = () => copy(it.dataset.copy); });
// While it is paused too.
for (const id of ["filter", "sort", "group"]) $(id).oninput = () => { remember(); drawTable(); };
$("window").oninput = () => { remember(); refresh(true); };
addEventListener("keydown", event => {
  if (event.key === "Escape" && !$("help").open) { if (document.activeElement === $("filter")) { $("filter").value = ""; $("filter").blur(); remember(); drawTable(); } else if (state.open) close(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.nodeName)) return;
  const act = { "/": () => $("filter").focus(), p: pause, t: twin, g: () => { $("metrics").scrollIntoView(); ($("table").tBodies[0].querySelector("button") || $("filter")).focus(); }, d: swapTheme, "?": () => $("help").showModal() }[event.key];
  if (act) { event.preventDefault(); act(); }
});
addEventListener("resize", () => { if (shown && state.open) drawDetail(shown); });
let kept = null;
try { kept = localStorage.getItem("metercast-theme"); } catch {}
theme(kept || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"));
document.querySelectorAll("footer a").forEach(it => { it.href = base + it.getAttribute("href"); });
recall(); listen(); drawConfig(); drawCardinality();
setInterval(status, 1000);
setInterval(() => { if (!state.paused) drawCardinality(); }, 10000);
setInterval(() => { if (!state.paused) drawConfig(); }, 30000);
})();
