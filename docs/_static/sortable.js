// Tables sort by the column whose head is clicked, or reached by Tab and chosen by Enter: numbers by their value, words
// by the alphabet; once more turns the order round.
document.addEventListener("DOMContentLoaded", () => {
  const number = (text) => {
    const found = text.replace(/[−–]/g, "-").match(/^[^0-9+-]*([-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?)/i);
    return found ? parseFloat(found[1]) : NaN;
  };
  for (const table of document.querySelectorAll("article table.docutils")) {
    const body = table.tBodies[0];
    const heads = table.tHead ? [...table.tHead.rows[0].cells] : [];
    if (!body || body.rows.length < 4) continue;
    heads.forEach((head, column) => {
      const sort = () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        const cell = (row) => (row.cells[column] ? row.cells[column].textContent.trim() : "");
        const rows = [...body.rows];
        const numeric = rows.filter((row) => !isNaN(number(cell(row)))).length > rows.length / 2;
        rows.sort((a, b) => (numeric ? (number(cell(a)) || 0) - (number(cell(b)) || 0)
                                     : cell(a).localeCompare(cell(b))) * (down ? -1 : 1));
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        body.append(...rows);
      };
      head.tabIndex = 0;
      head.style.cursor = "pointer";
      head.title = "sort by this column";
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => event.key === "Enter" && sort());
    });
  }
});
