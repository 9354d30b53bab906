// Elements of the page, and pictures of a minute.
const $ = id => document.getElementById(id);
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
