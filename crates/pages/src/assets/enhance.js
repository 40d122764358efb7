// Pages work without this. It keeps a second click from sending a form twice, and the place on the page when a form
// comes back to the same page.
"use strict";
addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  if (form.dataset.stay !== undefined) sessionStorage.setItem("place", `${location.pathname} ${scrollY}`);
  const button = event.submitter;
  if (button) {
    button.setAttribute("aria-disabled", "true");
    button.dataset.label = button.textContent;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  }
});
addEventListener("pageshow", (event) => {
  // The back button shows the page as it was left.
  if (event.persisted) {
    for (const form of document.forms) delete form.dataset.sent;
    for (const button of document.querySelectorAll("button[aria-disabled]")) {
      button.removeAttribute("aria-disabled");
      if (button.dataset.label) button.textContent = button.dataset.label;
    }
  }
});
addEventListener("DOMContentLoaded", () => {
  document.querySelector("[data-focus]")?.focus();
  const place = sessionStorage.getItem("place");
  sessionStorage.removeItem("place");
  if (place?.startsWith(`${location.pathname} `)) scrollTo(0, Number(place.split(" ")[1]));
});
