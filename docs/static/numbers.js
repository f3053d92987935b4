// The search boxes above tables of numbers: a row stays where every field that is filled in agrees with it.
document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("form.filter")) {
    const rows = [...document.getElementById(form.dataset.table).tBodies[0].rows];
    const numbered = rows.filter((row) => !row.classList.contains("group"));
    const fields = [...form.elements].filter((field) => field.name);
    const agrees = (row, field) => {
      const text = row.dataset[field.name] || "";
      if (field.tagName === "SELECT") return !field.value || text === field.value;
      return field.value.toLowerCase().split(/\s+/).every((word) => text.toLowerCase().includes(word));
    };
    const show = () => {
      for (const row of numbered) row.hidden = !fields.every((field) => agrees(row, field));
      const all = numbered.every((row) => !row.hidden);
      for (const row of rows) if (row.classList.contains("group")) row.hidden = !all;
      form.querySelector("output").textContent =
        numbered.filter((row) => !row.hidden).length + " of " + numbered.length;
    };
    const asked = new URLSearchParams(location.search);
    for (const field of fields) if (asked.has(field.name)) field.value = asked.get(field.name);
    form.addEventListener("input", show);
    form.addEventListener("submit", (event) => event.preventDefault());
    show();
  }
});
