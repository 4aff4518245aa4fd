// Keeps what is typed in the minutes as the writer's own draft, two seconds after the last key. The page works without it.
(() => {
  const form = document.getElementById("minutes");
  const line = document.getElementById("minutes-kept");
  if (!form || !line) return;
  const { autosave, saved, stale, ended, failed } = form.dataset;
  let timer = 0, running = false, again = false, over = false;
  const keep = async () => {
    if (over) return;
    if (running) { again = true; return; }
    running = true;
    try {
      const answer = await fetch(autosave, { method: "POST", body: new FormData(form), redirect: "manual", headers: { Accept: "application/json" } });
      if (answer.type === "opaqueredirect" || answer.status === 403) {
        over = true; // the server kept this text at the end of the session; it need not be sent again and again
        line.textContent = ended;
      } else {
        const told = await answer.json();
        line.textContent = told.problem || (told.stale ? stale : `${saved} ${told.saved}.`);
      }
    } catch (error) {
      line.textContent = failed;
      timer = setTimeout(keep, 15000);
    }
    running = false;
    if (again) { again = false; keep(); }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, 2000);
  });
  form.addEventListener("submit", () => { over = true; clearTimeout(timer); });
})();
