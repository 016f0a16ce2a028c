// The published page: find every figure, read its specification, let it live. No kernel, no network.
(() => {
  "use strict";
  const { explorables } = globalThis;
  explorables.inPage = true;
  function hydrate() {
    for (const root of document.querySelectorAll("figure.explorable[data-explorable]:not(.ex-live)")) {
      const spec = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      explorables.mount(root, spec, explorables.localStore({ ...spec.start, ...spec.state }));
    }
    explorables.follow(location.hash);
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", hydrate);
  else hydrate();
  addEventListener("hashchange", () => explorables.follow(location.hash));
})();
