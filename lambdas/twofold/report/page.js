"use strict";
// Merge the two label tables into one that can be searched and sorted. The page has the same content without this script.
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

  const createElement = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const tools = createElement("div", { className: "tools" });
  const search = createElement("input", { type: "search", placeholder: "Search labels", ariaLabel: "Search labels" });
  const fold = createElement("button", { type: "button" });
  const status = createElement("output", {});
  tools.append(search, fold, status);
  table.parentElement.before(tools);

  const show = () => {
    const query = search.value.trim().toLocaleLowerCase();
    const matches = order.filter((row) => text.get(row).includes(query));
    const shown = open ? matches : matches.slice(0, OPEN);
    body.replaceChildren(...shown);
    fold.hidden = matches.length <= OPEN;
    fold.textContent = open ? `Show ${OPEN}` : `Show all ${matches.length.toLocaleString("en")}`;
    fold.setAttribute("aria-expanded", String(open));
    status.textContent = `${shown.length.toLocaleString("en")} of ${rows.length.toLocaleString("en")} shown`;
  };

  const sort = (head, column) => {
    const wasDown = head.getAttribute("aria-sort") === "descending";
    const down = head.hasAttribute("aria-sort") ? !wasDown : column > 0;
    for (const cell of head.parentElement.cells) cell.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    const value = (row) => Number(row.cells[column].dataset.value);
    const compare = column
      ? (first, second) => value(first) - value(second)
      : (first, second) => text.get(first).localeCompare(text.get(second));
    order = [...rows].sort((first, second) => sign * compare(first, second));
    show();
  };

  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = createElement("button", { type: "button", textContent: head.textContent });
    button.addEventListener("click", () => sort(head, column));
    head.replaceChildren(button);
  });
  table.tHead.rows[0].cells[5].setAttribute("aria-sort", "descending");
  search.addEventListener("input", show);
  fold.addEventListener("click", () => { open = !open; show(); });
  show();
})();
