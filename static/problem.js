/* Adds the size of the window to a reported problem, and shows that it does. */
(function () {
  "use strict";
  var field = document.querySelector("input[name=window]"), shown = document.getElementById("window-size");
  if (!field || !shown) { return; }
  field.value = window.innerWidth + "×" + window.innerHeight;
  shown.textContent = field.value;
})();
