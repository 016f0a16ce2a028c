// The published page: find every figure, read its specification, let it live. No kernel, no network.
(() => {
  "use strict";
  const { explorables } = globalThis;
  explorables.inPage = true;
  let touched = false; // has the reader done anything yet?
  for (const event of ["pointerdown", "touchstart", "wheel", "keydown"]) {
    addEventListener(event, () => { touched = true; }, { once: true, passive: true, capture: true });
  }
  function hydrate() {
    for (const root of document.querySelectorAll("figure.explorable[data-explorable]:not(.ex-live)")) {
      const spec = JSON.parse(root.querySelector("script[type='application/json']").textContent);
      try {
        explorables.mount(root, spec, explorables.localStore({ ...spec.start, ...spec.state }));
      } catch (error) {
        reportError(error); // the other figures live all the same
      }
    }
    explorables.follow(location.hash);
    globalThis.questions.hydrate();
  }
  // As soon as the page is read, before the scripts that it puts off.
  if (document.readyState === "loading") document.addEventListener("readystatechange", hydrate, { once: true });
  else hydrate();
  // Pictures and fonts that have come since have moved the place that the address names.
  addEventListener("load", async () => {
    await document.fonts.ready;
    if (touched || performance.getEntriesByType("navigation")[0]?.type !== "navigate") return;
    if (explorables.follow(location.hash)) return;
    document.getElementById(decodeURIComponent(location.hash.slice(1)))?.scrollIntoView();
  });
  // What is wider than its column scrolls within it, by the keyboard too.
  const wide = new ResizeObserver((seen) => {
    for (const { target } of seen) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    }
  });
  addEventListener("load", () => {
    for (const box of document.querySelectorAll("article :is(div.math, table, pre)")) wide.observe(box);
  });
  addEventListener("hashchange", () => explorables.follow(location.hash));
})();
