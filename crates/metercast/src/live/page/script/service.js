// Whether the service is healthy, and what changed.
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
// Which label it is that has too many values, as far as that was asked for.
function blame(m) {
  const it = state.worst.get(keyOf(m));
  if (!it) return "";
  return (it.worst ? `: its label ${it.worst.key} has ${many(it.worst.values, "value")} and more` : "") + (it.overflow ? `; ${short(it.overflow_total)} went to the overflow series` : "") +
    (it.worst ? `. Give ${it.worst.key} a type with few values, or raise the limit with Store::set_limit` : "");
}
function rank() {
  const found = [];
  for (const one of (state.health || { exporters: [] }).exporters) if (one.error) found.push([1e6, "✗ exporter " + one.name + " is " + one.status + (one.failures_in_a_row > 1 ? ", " + one.failures_in_a_row + " times in a row" : ""), null]);
  const reload = state.health && state.health.reload;
  if (reload && !reload.successful) found.push([9e5, "✗ the last reload was refused; the old configuration holds", null]);
  for (const m of state.metrics.values()) {
    if (/^(otel\.sdk|metercast)\./.test(m.name)) continue;
    if (m.series >= m.limit * 0.8 && m.limit > 0) found.push([5e5 + m.series / m.limit, m.series > m.limit ? "! " + m.name + " is at its limit of " + m.limit + " series" + blame(m) : `! ${m.name} has ${m.series} series of at most ${m.limit}`, m]);
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
