// Warns five minutes before a session ends for want of use, and lets the reader stay without losing the page.
(() => {
  const bar = document.getElementById("session-warning");
  if (!bar) return;
  const idle = Number(bar.dataset.seconds) * 1000;
  let since = Date.now();
  const stay = async () => {
    const body = new FormData(bar.querySelector("form"));
    const answer = await fetch(bar.querySelector("form").action, { method: "POST", body, redirect: "manual" });
    if (answer.ok) { since = Date.now(); bar.hidden = true; }
  };
  bar.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); stay(); });
  document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.requestConfig?.verb !== "get") since = Date.now(); });
  setInterval(() => {
    const left = since + idle - Date.now();
    if (left < 300000 && bar.hidden) bar.hidden = false;
    const minutes = Math.max(0, Math.ceil(left / 60000));
    bar.querySelector("[data-minutes]").textContent = String(minutes);
  }, 15000);
})();
