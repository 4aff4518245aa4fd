// A passkey needs JavaScript: its buttons are shown only where it runs and the browser knows passkeys.
if (window.PublicKeyCredential) {
  for (const button of document.querySelectorAll(".js-only")) button.hidden = false;
}
