// sweep: curves over one to three sliders. Every curve was computed in Python on the grid of the sliders.
// data: {x, xlabel, ylabel, logy, ydomain, begin, curves: [{label, role, ys: [one array a grid point]}], say}
explorables.define("sweep", {
  index(view) {
    const { nearest } = explorables.kit;
    return view.spec.controls.reduce((i, c) => i * c.values.length + nearest(c.values, view.get(c.name)), 0);
  },
  draw(view) {
    const { plot, curve, dashes, endLabels, clamp } = explorables.kit;
    const { data, width } = view;
    const i = this.index(view);
    const height = clamp(width * 0.55, 260, 380);
    view.layer("curves", undefined, (g) => {
      const { ydomain, logy, xlabel, ylabel } = data;
      const xdomain = [data.x[0], data.x[data.x.length - 1]];
      const p = plot(g, { left: 8, top: 8, width: width - 12, height }, { xdomain, ydomain, logy, xlabel, ylabel });
      // where the figure began stays visible, faint, so that a move is seen as a move
      for (const { ys, role } of data.curves) {
        curve(p, data.x, ys[data.begin], role, { class: `ex-curve ex-ghost ex-${role}` });
      }
      data.curves.forEach((c, k) => curve(p, data.x, c.ys[i], c.role, { "stroke-dasharray": dashes(k) }));
      endLabels(p, data.curves.map((c) => ({ label: c.label, role: c.role, xs: data.x, ys: c.ys[i] })));
    });
    return { height: height + 12, say: data.say[i] };
  },
});
