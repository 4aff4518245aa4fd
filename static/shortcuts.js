/* Keys that save a reach for the mouse: / or s, g and a letter, ?. Nothing needs them, and whoever is hindered by them
   switches them off on the page that lists them (WCAG 2.1.4). */
(function () {
  "use strict";
  var link = document.getElementById("shortcuts-link");
  if (!link) { return; }
  var stored = "shortcuts", awaited = 0;

  function isOn() {
    try { return localStorage.getItem(stored) !== "off"; } catch (error) { return true; }
  }

  function isTyping(element) {
    return element.isContentEditable || Boolean(element.closest("input, textarea, select, [role=textbox]"));
  }

  document.addEventListener("keydown", function (event) {
    if (event.defaultPrevented || event.isComposing || event.repeat || event.ctrlKey || event.altKey || event.metaKey) { return; }
    if (!(event.target instanceof Element) || isTyping(event.target) || !isOn()) { return; }
    var afterG = awaited && event.timeStamp - awaited < 1500;
    awaited = 0;
    if (afterG && /^[a-z]$/.test(event.key)) {
      var address = link.getAttribute("data-go-" + event.key);
      if (address) { event.preventDefault(); location.assign(address); }
    } else if (event.key === "g") {
      awaited = event.timeStamp;
    } else if (event.key === "?") {
      event.preventDefault();
      location.assign(link.href);
    } else if (event.key === "/" || event.key === "s") {
      var field = document.querySelector("[role=search] input[type=search]");
      if (field) { event.preventDefault(); field.focus(); field.select(); }
    }
  });

  var box = document.getElementById("shortcuts-on");
  if (box) {
    document.getElementById("shortcuts-switch").hidden = false;
    document.getElementById("shortcuts-none").hidden = true;
    box.checked = isOn();
    box.addEventListener("change", function () {
      try { localStorage.setItem(stored, box.checked ? "on" : "off"); } catch (error) { box.checked = true; }
    });
  }
})();
