// The published page: find every figure, read its specification, let it live. No kernel, no network.
(() => {
  "use strict";
  const { explorables } = globalThis;
  explorables.inPage = true;
  let touched = false; // has the reader done anything yet?
  let asleep = []; // the figures that are not alive yet
  const later = globalThis.requestIdleCallback ?? ((f) => setTimeout(f, 100));
  function live(root) {
    const spec = JSON.parse(root.querySelector("script[type='application/json']").textContent);
    try {
      explorables.mount(root, spec, explorables.localStore({ ...spec.start, ...spec.state }));
    } catch (error) {
      reportError(error); // the other figures live all the same
    }
  }
  const wake = (count = Infinity) => asleep.splice(0, count).forEach(live);
  // The first figure answers at once; the others follow one by one as soon as there is time, or all of them when the
  // reader does something or the address names one.
  function rest() {
    wake(1);
    if (asleep.length) later(rest, { timeout: 1000 });
  }
  for (const event of ["pointerdown", "touchstart", "wheel", "keydown"]) {
    const listen = { once: true, passive: true, capture: true };
    addEventListener(event, () => { touched = true; wake(); }, listen);
  }
  function hydrate() {
    asleep = [...document.querySelectorAll("figure.explorable[data-explorable]:not(.ex-live)")];
    if (location.hash) wake();
    else rest();
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
  addEventListener("beforeprint", () => wake());
  addEventListener("hashchange", () => { wake(); explorables.follow(location.hash); });
})();
