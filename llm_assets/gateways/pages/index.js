// The order of the table of batches. It is whole without this.
"use strict";
(() => {
  const table = document.getElementById("batches");
  const body = table.tBodies[0];
  const lines = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];

  const read = (line, place) => {
    const text = line.cells[place].dataset.sort;
    return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
  };
  const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === "number" ? -1 : 1);

  heads.forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isDown = head.getAttribute("aria-sort") !== "descending" && place > 0;
      const sign = head.getAttribute("aria-sort") === "ascending" || isDown ? -1 : 1;
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign > 0 ? "ascending" : "descending");
      body.append(...lines.sort((one, other) => sign * compare(read(one, place), read(other, place))));
    });
  });
  table.classList.add("is-live");
})();
