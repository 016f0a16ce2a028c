// sweep: curves over one to three sliders. Every curve was computed in Python on the grid of the sliders.
// data: {x, xlabel, ylabel, logy, ydomain, begin, curves: [{label, role, ys: [one array a grid point]}], say}
explorables.define("sweep", {
  index(view) {
    const { nearest } = explorables.kit;
    return view.spec.controls.reduce((i, c) => i * c.values.length + nearest(c.values, view.get(c.name)), 0);
  },
  sayings: (view) => view.data.say,
  draw(view) {
    const { scales, axes, curve, dashes, endLabels, text, typeset, clamp } = explorables.kit;
    const { data, width } = view;
    const { ydomain, logy, xlabel, ylabel } = data;
    const i = this.index(view);
    const names = data.curves.map((c) => typeset(c.label));
    const height = clamp(width * 0.5, 290, 360);
    const xdomain = [data.x[0], data.x[data.x.length - 1]];
    const box = { left: 4, top: 4, width: width - 8, height };
    const p = scales(box, { xdomain, ydomain, logy, xlabel, ylabel, ends: names });
    view.layer("axes", width, (g) => axes(g, p));
    // where the figure began stays visible, faint, so that a move is seen as a move
    view.layer("ghost", `${width}|${i === data.begin}`, (g) => {
      if (i === data.begin) return;
      for (const { ys, role } of data.curves) {
        curve({ ...p, layer: g }, data.x, ys[data.begin], role, { class: `ex-curve ex-ghost ex-${role}` });
      }
      const note = { "text-anchor": "middle", class: "ex-small" };
      g.append(text(p.left + p.width / 2, height + 15, "faint: as the figure began", note));
    });
    view.layer("curves", `${width}|${i}`, (g) => {
      const q = { ...p, layer: g };
      data.curves.forEach((c, k) => curve(q, data.x, c.ys[i], c.role, { "stroke-dasharray": dashes(k) }));
      endLabels(q, data.curves.map((c, k) => ({ ...c, label: names[k], dash: dashes(k), xs: data.x, ys: c.ys[i] })));
    });
    return { height: height + 20, say: data.say[i] };
  },
});
