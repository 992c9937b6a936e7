// Search, filter and sort the table of deploys. Everything can be read without this.
(() => {
  "use strict";
  const table = document.getElementById("table");
  const form = document.getElementById("filters");
  const count = document.getElementById("count");
  if (!table || !form || !count) return;

  const field = (name) => document.getElementById(name);
  const body = table.tBodies[0];
  const every = count.textContent;
  const rows = [...body.rows].map((row, place) => {
    const cells = [...row.cells].map((cell) => cell.textContent);
    const part = document.getElementById(row.querySelector("a").hash.slice(1));
    return { row, place, cells, part, text: cells.join("\n").toLowerCase(), said: row.dataset.o.split(" ") };
  });

  // What a choice is compared with; the names of services and destinations hold no dot.
  const fits = {
    "f-service": (each, wanted) => each.cells[1].split(".")[0] === wanted,
    "f-destination": (each, wanted) => each.cells[1].split(".")[1] === wanted,
    "f-version": (each, wanted) => each.cells[2].startsWith(wanted),
    "f-author": (each, wanted) => each.cells[4] === wanted || each.cells[4].startsWith(wanted + " (by "),
    "f-outcome": (each, wanted) => each.said.includes(wanted),
  };

  function filter() {
    const words = field("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = Object.entries(fits).map(([name, fit]) => [fit, field(name).value]).filter(([, wanted]) => wanted);
    let shown = 0;
    for (const each of rows) {
      const fit = words.every((word) => each.text.includes(word)) && asked.every(([test, wanted]) => test(each, wanted));
      each.row.hidden = !fit;
      if (each.part) each.part.hidden = !fit;
      shown += fit;
    }
    count.textContent = shown === rows.length ? every : shown.toLocaleString("en") + " of " + every;
  }

  function sort(column, head) {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const order = new Intl.Collator("en", { numeric: true });
    const compare = column === 0
      ? (a, b) => b.place - a.place  // the page has them newest first, whatever the time zones
      : (a, b) => order.compare(a.cells[column], b.cells[column]) || a.place - b.place;
    const sorted = [...rows].sort(down ? (a, b) => compare(b, a) : compare);
    body.append(...sorted.map((each) => each.row));
  }

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(column, head));
    head.replaceChildren(button);
  });
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());

  // Where the style alone can't open them: on paper nothing is folded.
  window.addEventListener("beforeprint", () => {
    for (const folded of document.querySelectorAll("details")) folded.open = true;
  });

  // A link to a part that a filter hides shows it.
  function reveal() {
    const part = document.getElementById(location.hash.slice(1));
    if (part && part.hidden) {
      form.reset();
      filter();
      part.scrollIntoView();
    }
  }
  window.addEventListener("hashchange", reveal);
  document.addEventListener("click", (event) => {
    if (event.target.closest && event.target.closest('a[href^="#d-"]')) setTimeout(reveal);
  });
  form.hidden = false;
})();
