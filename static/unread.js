// A browser sends a day that does not exist (31 February) and letters in a number as an empty field, which an optional field
// would be saved as. Before anything is sent it is said at the field, in the language of the page; what was typed stays.
(() => {
  const says = document.currentScript.dataset;
  const clear = (field) => {
    document.getElementById(`${field.id || field.name}_unread`)?.remove();
    field.classList.remove("is-invalid");
    field.removeAttribute("aria-invalid");
    field.removeEventListener("input", field.unread);
    delete field.unread;
  };
  const say = (field) => {
    if (field.unread) clear(field);
    const text = document.createElement("span");
    text.id = `${field.id || field.name}_unread`;
    text.className = "invalid-feedback d-block";
    text.setAttribute("role", "alert");
    text.textContent = field.type === "number" ? says.number : says.day;
    field.after(text);
    field.classList.add("is-invalid");
    field.setAttribute("aria-invalid", "true");
    field.unread = () => clear(field);
    field.addEventListener("input", field.unread);
  };
  document.addEventListener("submit", (event) => {
    if (event.submitter?.hasAttribute("formnovalidate")) return;
    const unread = [...event.target.elements].filter((field) => field.validity?.badInput);
    if (!unread.length) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    unread.forEach(say);
    unread[0].focus();
  }, true);
})();
