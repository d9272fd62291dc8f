// Tables that can be sorted by their heads; without it every page says the same.
"use strict";
(function () {
  function value(row, at) {
    var cell = row.children[at];
    var said = cell.getAttribute("data-order");
    if (said === null) said = cell.textContent.trim();
    var number = Number(said);
    return said !== "" && !isNaN(number) ? number : said.toLocaleLowerCase();
  }
  function sort(table, head, at) {
    var down = head.getAttribute("aria-sort") === "ascending";
    table.querySelectorAll("th[aria-sort]").forEach(function (one) { one.removeAttribute("aria-sort"); });
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    var body = table.tBodies[0];
    var rows = Array.prototype.slice.call(body.rows);
    rows.sort(function (a, b) {
      var x = value(a, at), y = value(b, at);
      var order = typeof x === "number" && typeof y === "number" ? x - y : String(x).localeCompare(String(y), document.documentElement.lang, { numeric: true });
      return down ? -order : order;
    });
    rows.forEach(function (row) { body.appendChild(row); });
  }
  document.querySelectorAll("table.sortable").forEach(function (table) {
    Array.prototype.forEach.call(table.tHead.rows[0].cells, function (head, at) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      var printed = document.createElement("span");  // a browser does not repeat buttons on the next sheet
      printed.className = "printed";
      printed.textContent = head.textContent;
      head.textContent = "";
      head.appendChild(button);
      head.appendChild(printed);
      button.addEventListener("click", function () { sort(table, head, at); });
    });
  });
})();
