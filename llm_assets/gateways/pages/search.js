// The search in the table that follows it. The page is whole without this.
"use strict";
(() => {
  const controls = document.getElementById("controls");
  if (!controls) return;
  const lines = [...controls.nextElementSibling.tBodies[0].rows];
  const search = document.getElementById("search");
  const found = document.getElementById("found");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const line of lines) {
      const text = line.textContent.toLowerCase();
      line.hidden = !words.every((word) => text.includes(word));
      count += line.hidden ? 0 : 1;
    }
    found.textContent = words.length ? `${count.toLocaleString("en-US")} found` : "";
  });
  controls.hidden = lines.length < 8;
})();
