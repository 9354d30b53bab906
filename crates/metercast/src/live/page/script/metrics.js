// The table of metrics. So many rows are drawn; the filter finds what is beyond them.
const ROOM = 300;
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
  for (const m of list.slice(0, ROOM)) {
    const head = of(m);
    if (group && head !== before) { rows.push(el("tr", { class: "group" }, el("th", { colspan: 6, scope: "rowgroup" }, head))); before = head; }
    let it = state.rows.get(keyOf(m));
    if (!it) {
      const cells = [num(""), num(""), num(""), el("td", {})];
      const tr = el("tr", {}, el("td", {}, el("button", { on: () => show(m), title: m.description }, m.name + (m.scope ? " (" + m.scope + ")" : ""))), el("td", {}, m.kind.replace(/_/g, "-") + (m.visibility === "private" ? ", private" : "")), cells);
      state.rows.set(keyOf(m), it = { tr, cells });
    }
    const text = [m.series, now(m), m.now.rate === undefined ? "" : short(m.now.rate)];
    text.forEach((text, at) => { if (it.cells[at].textContent !== String(text)) it.cells[at].textContent = text; });
    it.tr.setAttribute("aria-current", String(state.open === keyOf(m)));
    fill(it.cells[3], spark(m.spark, 120, 22));
    rows.push(it.tr);
  }
  $("beyond").textContent = list.length > ROOM ? `${list.length - ROOM} more are not drawn; the filter finds them.` : "";
  if (rows.length !== body.rows.length || rows.some((tr, at) => body.rows[at] !== tr)) {
    const focused = document.activeElement;
    fill(body, rows);
    if (focused && focused !== document.activeElement && body.contains(focused)) focused.focus({ preventScroll: true });
  }
  $("empty").hidden = state.metrics.size > 0 || !state.time;
  if (!$("empty").hidden && !$("empty").firstChild) fill($("empty"),
    el("h3", {}, "Nothing is recorded yet"), el("p", {}, "Whatever the program records appears here within a second. Ask it something, for example:"),
    el("pre", {}, "curl http://localhost:3000/"), el("p", {}, "Or record something in it:"),
    el("pre", {}, "metercast::u64_counter!(\"orders.placed\", \"Orders accepted\", 1);"),
    el("p", {}, "What it declares and has not recorded yet stands below."));
  if (!$("empty").hidden) $("never").open = true;
}
