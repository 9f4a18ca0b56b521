// @ts-check
// Signs in and opens the console. The form is sent by fetch: the page's policy allows no other form action.

const form = /** @type {HTMLFormElement} */ (document.getElementById("form"));
const said = /** @type {HTMLElement} */ (document.getElementById("said"));

/** @param {string} id */
function value(id) {
  return /** @type {HTMLInputElement} */ (document.getElementById(id)).value;
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  said.textContent = "";
  try {
    const answer = await fetch("/api/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ name: value("name"), password: value("password") }),
    });
    if (answer.ok) {
      location.replace("/");
      return;
    }
    const told = await answer.json();
    said.textContent = [told.error, told.remedy].filter(Boolean).join("; ");
  } catch {
    said.textContent = "The service does not answer.";
  }
});
