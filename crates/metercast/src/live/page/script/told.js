// What the program has told so far, and how it tells more.
const base = location.pathname.replace(/\/(live\/?)?$/, "/");
const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
const state = { rows: null, metrics: new Map(), worst: new Map(), health: null, time: 0, series: 0, history: {}, paused: false, open: null, labels: [], at: 0 };
const keyOf = m => m.scope + "\n" + m.name;
function push(m) { m.spark.push(lead(m) ?? null); if (m.spark.length > 60) m.spark.shift(); }
function full(data) {
  const fresh = new Map();
  data.metrics.forEach((m, at) => {
    const values = data.spark[at];
    m.spark = Array(Math.max(0, 60 - values.length)).fill(null).concat(values);
    m.at = (state.metrics.get(keyOf(m)) || m).at;
    fresh.set(keyOf(m), m);
  });
  Object.assign(state, { metrics: fresh, health: data.health, time: data.time, series: data.series, history: data.history, rows: null });
}
function change(data) {
  const passed = Math.min(60, Math.max(1, Math.round(data.time - state.time)));
  state.time = data.time; state.series = data.series; state.history.left_out = data.left_out;
  for (const m of data.metrics) {
    const known = state.metrics.get(keyOf(m));
    if (known) { Object.assign(known, m); known.at = data.time; }
    else { m.spark = Array(60).fill(null); m.at = data.time; state.metrics.set(keyOf(m), m); state.rows = null; }
  }
  for (const [name, scope] of data.gone) { state.metrics.delete(scope + "\n" + name); state.rows = null; }
  if (data.health) state.health = data.health;
  for (const m of state.metrics.values()) { for (let n = 1; n < passed; n++) { m.spark.push(null); m.spark.shift(); } push(m); }
}
let source = null, last = 0, trouble = "";
// Who pauses leaves the place of a viewer to another, and is told everything when going on.
function listen() {
  hush();
  const mine = source = new EventSource(base + "live/events");
  const take = how => event => { how(JSON.parse(event.data)); last = performance.now(); trouble = ""; draw(); };
  mine.addEventListener("full", take(full));
  mine.addEventListener("change", take(change));
  // The browser tries again by itself, unless it was refused.
  mine.onerror = () => { if (mine === source) why().then(() => { status(); if (mine === source && mine.readyState === 2) setTimeout(() => { if (mine === source) listen(); }, 5000); }); };
}
function hush() { if (source) source.close(); source = null; }
// An EventSource does not say why it was refused.
async function why() {
  const end = new AbortController();
  try {
    const answer = await fetch(base + "live/events", { signal: end.signal });
    trouble = answer.ok ? "the connection was lost" : (await answer.text()).trim();
  } catch { trouble = "the program does not answer: it has ended, or the network between has"; }
  end.abort();
}
const clock = time => new Date(time * 1e3).toLocaleTimeString();
function status() {
  const it = $("live"), is = source && source.readyState === 1 && performance.now() - last < 5000;
  const was = state.time ? "; what is shown was so at " + clock(state.time) : "";
  const text = state.paused ? "❚❚ paused at " + clock(state.time) : is ? "● live" : last || trouble ? "○ not connected, trying again: " + (trouble || "nothing has come for 5 s") + was : "connecting";
  const kind = state.paused ? "warn" : is ? "ok" : "bad";
  if (it.textContent !== text) { it.textContent = text; it.className = kind; }
}
