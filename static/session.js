// Says five minutes before a session ends that it will, and lets the reader stay without losing the page. The server knows
// how much is left: another window may have gone on meanwhile, and after twelve hours staying is over.
(() => {
  const bar = document.getElementById("session-warning");
  if (!bar) return;
  const form = bar.querySelector("form");
  const button = form.querySelector("button");
  let end = Date.now() + Number(bar.dataset.left) * 1000;
  let asked = 0;
  bar.hidden = true;
  bar.classList.add("scripted");
  const ask = async (options) => {
    asked = Date.now();
    const answer = await fetch(form.action, { ...options, redirect: "manual", headers: { "HX-Request": "true" } });
    if (answer.ok && answer.status === 200) end = Date.now() + (await answer.json()).left * 1000;
  };
  const show = () => {
    const left = end - Date.now();
    if (left < 300000) {
      const time = new Date(end);
      bar.querySelector("[data-time]").textContent = [time.getHours(), time.getMinutes()].map((n) => String(n).padStart(2, "0")).join(":");
      bar.querySelector("[data-before]").hidden = left <= 0;
      bar.querySelector("[data-after]").hidden = left > 0;
      button.hidden = left <= 0;
    }
    bar.hidden = left >= 300000;
  };
  const look = async () => {
    const left = end - Date.now();
    if (left > 0 && left < 600000 && Date.now() - asked > 60000) await ask({ method: "GET" }).catch(() => {});
    show();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask({ method: "POST", body: new FormData(form) }).then(show, () => form.submit());
  });
  look();
  setInterval(look, 15000);
})();
