"use strict";
// One table of both, to search and to sort. Without this script the page says the same.
(() => {
  const OPEN = 25;
  const table = document.getElementById("label-table");
  const body = table.tBodies[0];
  const folded = document.getElementById("more-labels");
  if (folded) {
    body.append(...folded.querySelector("tbody").rows);
    folded.remove();
  }
  const rows = [...body.rows];
  if (rows.length < 2) return;
  const text = new Map(rows.map((row) => [row, row.cells[0].textContent.toLocaleLowerCase()]));
  let order = rows;
  let open = false;

  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const tools = make("div", { className: "tools" });
  const search = make("input", { type: "search", placeholder: "Search labels", ariaLabel: "Search labels" });
  const fold = make("button", { type: "button" });
  const told = make("output", {});
  tools.append(search, fold, told);
  table.parentElement.before(tools);

  const show = () => {
    const wanted = search.value.trim().toLocaleLowerCase();
    const found = order.filter((row) => text.get(row).includes(wanted));
    const shown = open ? found : found.slice(0, OPEN);
    body.replaceChildren(...shown);
    fold.hidden = found.length <= OPEN;
    fold.textContent = open ? `Show ${OPEN}` : `Show all ${found.length.toLocaleString("en")}`;
    fold.setAttribute("aria-expanded", String(open));
    told.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  };

  const sort = (head, column) => {
    const wasDown = head.getAttribute("aria-sort") === "descending";
    const down = head.hasAttribute("aria-sort") ? !wasDown : column > 0;
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    const value = (row) => Number(row.cells[column].dataset.value);
    const compare = column
      ? (one, other) => value(one) - value(other)
      : (one, other) => text.get(one).localeCompare(text.get(other));
    order = [...rows].sort((one, other) => sign * compare(one, other));
    show();
  };

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = make("button", { type: "button", textContent: head.textContent });
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });
  table.tHead.rows[0].cells[5].setAttribute("aria-sort", "descending");
  search.addEventListener("input", show);
  fold.addEventListener("click", () => { open = !open; show(); });
  show();
})();
