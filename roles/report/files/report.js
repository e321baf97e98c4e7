// Draws the charts of the report from the data in the page. Every chart has a table or a text beside it.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim();
  const AXIS_WIDTH = 64; // px; the same for both charts of a rollout, so that their seconds stand above each other
  const KIND_OF_STATE = {
    PLANNED: "waiting", LOCKED: "waiting", BACKED_UP: "waiting", EXPANDED: "waiting",
    STAGED: "prepared", VERIFIED: "prepared", CANARY: "prepared", SWITCHED: "serving", SOAKING: "serving",
    COMMITTED: "committed", ABORTING: "aborting", ROLLED_BACK: "back", FROZEN: "frozen",
  };
  const LINES = ["before", "after", "third", "aborting", "committed"];
  const drawn = [];

  // Black or white, whichever stands out more on a colour (relative luminance of WCAG 2).
  function readable(hex) {
    const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(hex.slice(at, at + 2), 16) / 255) ** 2.2);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.18 ? "#000" : "#fff";
  }

  const ticks = (more = {}) => ({ color: colour("soft"), font: { size: 11 }, maxTicksLimit: 7, maxRotation: 0, ...more });

  function axis(title, more = {}) {
    return {
      title: { display: Boolean(title), text: title, color: colour("soft"), font: { size: 11 } },
      grid: { color: colour("grid") }, border: { display: false },
      ticks: ticks(), ...more,
    };
  }

  function options(scales, more = {}) {
    return {
      animation: false, responsive: true, maintainAspectRatio: false, scales,
      interaction: { mode: "index", intersect: false },
      plugins: {
        legend: { labels: { color: colour("ink"), boxWidth: 10, boxHeight: 10, font: { size: 12 } }, align: "start" },
        ...more,
      },
    };
  }

  function draw(id, config) {
    const canvas = document.getElementById(id);
    if (!canvas) return;
    drawn.push(new Chart(canvas, config));
    canvas.dataset.drawn = "true";
  }

  const spread = (values) => {
    const known = values.flat().filter((value) => value > 0);
    return known.length ? Math.max(...known) / Math.min(...known) : 1;
  };
  const plain = (value) => value.toLocaleString("en", { maximumSignificantDigits: 3 });
  const decades = (value) => (Number.isInteger(Math.log10(value)) ? plain(value) : "");

  function bars(id, metric, title) {
    const chart = data.comparison;
    const log = spread(chart[metric]) > 30;
    draw(id, {
      type: "bar",
      data: {
        labels: chart.scenarios,
        datasets: chart.labels.map((label, side) => ({
          label, data: chart[metric][side], backgroundColor: colour(LINES[side]), borderRadius: 2, maxBarThickness: 28,
        })),
      },
      options: options({
        x: axis("", { grid: { display: false } }),
        y: log
          ? axis(`${title}, logarithmic`, { type: "logarithmic", ticks: ticks({ callback: decades }) })
          : axis(title, { beginAtZero: true }),
      }),
    });
  }

  function curve(chart, index) {
    draw(`curve-${index}`, {
      type: "line",
      data: {
        datasets: chart.lines.map((line, at) => ({
          label: line.label, data: line.points, borderColor: colour(LINES[at % LINES.length]),
          backgroundColor: colour(LINES[at % LINES.length]), borderWidth: 2, pointRadius: 2, tension: 0,
        })),
      },
      options: options({
        x: axis("percentile", {
          type: "logarithmic", min: 1, max: 1000,
          afterBuildTicks: (scale) => { scale.ticks = [1, 2, 10, 100, 1000].map((value) => ({ value })); },
          ticks: ticks({ callback: (x) => ({ 1: "0", 2: "50", 10: "90", 100: "99", 1000: "99.9" })[x] }),
        }),
        y: axis("ms", { type: "logarithmic", ticks: ticks({ callback: decades }) }),
      }, {
        tooltip: {
          callbacks: {
            title: (items) => `${items[0].raw.percent}th percentile`,
            label: (item) => `${item.dataset.label}: ${plain(item.raw.y)} ms`,
          },
        },
      }),
    });
  }

  function seconds(end, more = {}) {
    return axis("seconds since the start", { type: "linear", min: 0, max: Math.ceil(end), offset: false, ticks: ticks({ includeBounds: false }), ...more });
  }

  const inSeconds = (chart, key) => chart.series.map((row) => ({ x: row.t_s + 0.5, y: row[key] }));
  const ofSecond = { tooltip: { callbacks: { title: (items) => `second ${Math.floor(items[0].parsed.x)}` } } };

  function latencies(chart, index) {
    draw(`latency-${index}`, {
      type: "line",
      data: {
        datasets: ["p50", "p95", "p99"].map((name, at) => ({
          label: name, data: inSeconds(chart, `${name}_ms`), borderColor: colour(LINES[at]),
          backgroundColor: colour(LINES[at]), borderWidth: 1.5, pointRadius: chart.series.length > 1 ? 0 : 3, spanGaps: true,
        })),
      },
      options: options({ x: seconds(chart.end_s), y: axis("ms", { beginAtZero: true }) }, ofSecond),
    });
  }

  // Dashed lines at the moments that decided, the same in both charts of a rollout; the upper one names them.
  const marks = (chart, named) => ({
    id: "marks",
    afterDatasetsDraw({ ctx, chartArea, scales }) {
      (chart.marks || []).forEach((mark, at) => {
        const x = scales.x.getPixelForValue(mark.t_s);
        const left = x + 60 > chartArea.right;
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = colour("ink");
        ctx.setLineDash([4, 3]);
        ctx.beginPath();
        ctx.moveTo(x, chartArea.top);
        ctx.lineTo(x, chartArea.bottom);
        ctx.stroke();
        ctx.font = "11px sans-serif";
        ctx.textAlign = left ? "right" : "left";
        if (named) ctx.fillText(mark.label, x + (left ? -4 : 4), chartArea.top + 11 + 13 * at);
        ctx.restore();
      });
    },
  });

  function traffic(id, chart) {
    const at = (key) => inSeconds(chart, key);
    const side = { afterFit: (scale) => { scale.width = AXIS_WIDTH; } };
    draw(id, {
      data: {
        datasets: [
          { type: "line", label: "p95, ms", data: at("p95_ms"), yAxisID: "ms", borderColor: colour("latency"), backgroundColor: colour("latency"), borderWidth: 1.5, pointRadius: 0, spanGaps: true },
          { type: "bar", label: "failed", data: at("failed"), stack: "requests", backgroundColor: colour("failed"), barPercentage: 1, categoryPercentage: 0.95 },
          { type: "bar", label: "answered", data: at("ok"), stack: "requests", backgroundColor: colour("ok"), barPercentage: 1, categoryPercentage: 0.95 },
        ],
      },
      options: options({
        x: seconds(chart.end_s),
        y: axis("requests per second", { stacked: true, beginAtZero: true, ...side }),
        ms: axis("ms", { position: "right", beginAtZero: true, grid: { display: false }, ...side }),
      }, ofSecond),
      plugins: [marks(chart, true)],
    });
  }

  // The name of each state inside its bar, where it fits: colours alone say nothing to some.
  const names = (spans) => ({
    id: "names",
    afterDatasetsDraw(drawing) {
      const { ctx } = drawing;
      ctx.save();
      ctx.font = "10px sans-serif";
      ctx.textBaseline = "middle";
      drawing.getDatasetMeta(0).data.forEach((bar, at) => {
        const { x, y, base } = bar.getProps(["x", "y", "base"], true);
        const name = spans[at].state.toLowerCase().replace("_", " ");
        const room = Math.abs(x - base) - 8;
        ctx.fillStyle = readable(bar.options.backgroundColor);
        if (ctx.measureText(name).width <= room) ctx.fillText(name, Math.min(x, base) + 4, y);
      });
      ctx.restore();
    },
  });

  function ways(chart, index) {
    const spans = chart.hosts.flatMap((host) => host.events.map((event, at) => ({
      host: host.host, state: event.state,
      span: [event.t_s, at + 1 < host.events.length ? host.events[at + 1].t_s : chart.end_s],
    })));
    draw(`ways-${index}`, {
      type: "bar",
      data: {
        labels: chart.hosts.map((host) => host.host),
        datasets: [{
          data: spans.map((one) => ({ x: one.span, y: one.host, state: one.state })),
          backgroundColor: spans.map((one) => colour(KIND_OF_STATE[one.state] || "waiting")),
          barThickness: 16, borderSkipped: false, grouped: false,
        }],
      },
      options: {
        ...options({
          x: seconds(chart.end_s),
          y: axis("", { grid: { display: false }, afterFit: (scale) => { scale.width = AXIS_WIDTH; } }),
        }, {
          legend: { display: false },
          tooltip: {
            callbacks: {
              title: (items) => items[0].raw.y,
              label: (item) => `${item.raw.state}: ${plain(item.raw.x[0])} to ${plain(item.raw.x[1])} s`,
            },
          },
        }),
        indexAxis: "y", interaction: { mode: "nearest", intersect: true },
        layout: { padding: { right: AXIS_WIDTH } },
      },
      plugins: [names(spans), marks(chart, !chart.series.length)],
    });
  }

  function all() {
    drawn.splice(0).forEach((chart) => chart.destroy());
    if (data.comparison) {
      bars("comparison-p95", "p95_ms", "95th percentile, ms");
      bars("comparison-rps", "rps", "answers per second");
    }
    data.curves.forEach(curve);
    data.rollouts.forEach((chart, index) => {
      if (chart.series.length) traffic(`traffic-${index}`, chart);
      if (chart.hosts.length) ways(chart, index);
    });
    data.loads.forEach((chart, index) => {
      if (!chart.series.length) return;
      latencies(chart, index);
      traffic(`load-${index}`, chart);
    });
    root.dataset.charts = String(drawn.length);
  }

  all();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", all);
})();
