"use strict";
(function () {
  const data = JSON.parse(document.getElementById("report-data").textContent);
  const views = new Map();
  const source = document.getElementById("source");
  const segmentation = document.getElementById("segmentation");
  if (!source) {
    document.body.dataset.ready = "yes";
    return;
  }
  const all = "all";
  const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
  const exact = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 2 });
  const narrow = window.matchMedia("(max-width: 760px)").matches;

  const article = () => document.querySelector(`article[data-source="${source.value}"]`);
  const segmentationName = () => {
    const chosen = segmentation.selectedOptions[0];
    return chosen ? chosen.dataset.name : null;
  };

  function fill(select, options) {
    select.replaceChildren(...options.map(([value, text]) => {
      const option = document.createElement("option");
      option.value = value;
      option.textContent = text;
      option.dataset.name = text;
      return option;
    }));
  }

  // a cell: segmentation, segment, rfm, recency, frequency, customers, purchases, revenue
  function cellsOfSegmentation() {
    const cells = data.cells[Number(source.value)];
    const name = segmentationName();
    return cells.filter((cell) => cell[0] === name);
  }

  function sum(cells, field) {
    const known = cells.filter((cell) => cell[field] !== null);
    return known.length ? known.reduce((total, cell) => total + cell[field], 0) : null;
  }

  const written = (value, format) => (value === null ? "–" : format.format(value));
  const share = (part, total) =>
    part === null || !total ? "–" : `${exact.format((100 * part) / total)} %`;

  function applyFilters() {
    const page = article();
    const cells = cellsOfSegmentation();
    const values = {};
    page.querySelectorAll("[data-filter]").forEach((select) => {
      values[select.dataset.filter] = select.selectedOptions[0];
    });
    if (!values.segment) return Promise.resolve();
    const chosen = (name, value) =>
      values[name].value === all || values[name].dataset.name === value;
    const found = cells.filter((cell) => chosen("segment", cell[1]) && chosen("rfm", cell[2]));
    const customers = sum(found, 5) || 0;
    const revenue = sum(found, 7);
    const numbers = {
      "customers": whole.format(customers),
      "share of customers": share(customers, sum(cells, 5)),
      "purchases": written(sum(found, 6), whole),
      "revenue": written(revenue, whole),
      "share of revenue": share(revenue, sum(cells, 7)),
      "revenue per customer": customers && revenue !== null ? exact.format(revenue / customers) : "–",
    };
    page.querySelectorAll("[data-number]").forEach((place) => {
      place.textContent = numbers[place.dataset.number];
    });
    return Promise.all([redrawScores(page, found), pointOut(page, values.segment)]);
  }

  function redrawScores(page, cells) {
    const places = new Map();
    cells.filter((cell) => cell[3] !== null).forEach((cell) => {
      const key = `${cell[3]},${cell[4]}`;
      const row = places.get(key) ||
        { recency: cell[3], frequency: cell[4], customers: 0, revenue: null };
      row.customers += cell[5];
      row.revenue = cell[7] === null ? row.revenue : (row.revenue || 0) + cell[7];
      places.set(key, row);
    });
    const view = views.get(`s${source.value}-customers-heat-map`);
    return view ? view.data("cells", [...places.values()]).runAsync() : null;
  }

  // the map of the customers shows the chosen segment
  function pointOut(page, segment) {
    const view = views.get(`s${source.value}-${segmentation.value}-map-map`);
    if (!view) return null;
    return view.signal("chosen", segment.value === all ? "" : segment.dataset.name).runAsync();
  }

  function fillFilters() {
    const cells = cellsOfSegmentation();
    const of = (field) => {
      const names = [...new Set(cells.map((cell) => cell[field]))].sort();
      return [[all, "All"], ...names.map((name, number) => [String(number), name])];
    };
    article().querySelectorAll("[data-filter]").forEach((select) => {
      fill(select, of(select.dataset.filter === "segment" ? 1 : 2));
    });
  }

  function prepared(key) {
    const spec = data.figures[key];
    if (narrow) {
      spec.config.axis.labelLimit = 118;
      spec.config.legend.labelLimit = 250;
    }
    return spec;
  }

  async function drawAll() {
    document.body.dataset.ready = "no";
    const visible = [...document.querySelectorAll("[data-chart]")].filter(
      (place) => place.offsetParent !== null && !place.dataset.drawn
    );
    for (const place of visible) {
      place.dataset.drawn = "begun";
      try {
        const { view } = await window.vegaEmbed(place, prepared(place.dataset.chart), {
          renderer: "svg",
          actions: { export: true, source: false, compiled: false, editor: false },
          downloadFileName: place.dataset.chart,
        });
        views.set(place.dataset.chart, view);
        place.dataset.drawn = "yes";
      } catch (error) {
        place.dataset.drawn = "no";
        place.textContent = "This chart could not be drawn.";
        console.error(place.dataset.chart, error);
      }
    }
    await applyFilters();
    document.body.dataset.ready = "yes";
  }

  function showSegmentation() {
    article().querySelectorAll("[data-segmentation]").forEach((one) => {
      one.hidden = one.dataset.segmentation !== segmentation.value;
    });
    fillFilters();
    return drawAll();
  }

  function showSource() {
    document.querySelectorAll("article").forEach((one) => {
      one.hidden = one.dataset.source !== source.value;
    });
    const declared = [...article().querySelectorAll("[data-segmentation]")];
    fill(segmentation, declared.map((one) => [one.dataset.segmentation, one.dataset.name]));
    segmentation.parentElement.hidden = declared.length === 0;
    return showSegmentation();
  }

  source.addEventListener("change", showSource);
  segmentation.addEventListener("change", showSegmentation);
  document.addEventListener("change", (event) => {
    if (event.target.dataset && event.target.dataset.filter) applyFilters();
  });
  showSource();
})();
