// Draws what the page's tables say: a chart of a table of weeks, a map of a table of places.
// The tables are the figures; without this script nothing is missing but the picture.

const colour = (/** @type {string} */ name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
// Okabe and Ito's palette, told apart by most colour-blind people; the dashes help the others.
const PALETTE = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", dark ? "#f0e442" : "#8a6d00", "#56b4e9", dark ? "#bbbbbb" : "#555555"];
const DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4], [6, 2], [3, 6], [1, 2]];

const number = (/** @type {HTMLElement} */ cell) => {
  const value = parseFloat(cell.textContent);
  return Number.isNaN(value) ? null : value;
};

/** @param {any} place */
function chart(place) {
  const table = /** @type {any} */ (document.getElementById(place.dataset.chartOf));
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...table.tBodies[0].rows].sort((a, b) =>
    a.querySelector("time").dateTime.localeCompare(b.querySelector("time").dateTime));
  const share = place.dataset.scale === "share";
  const shown = heads.map((head, column) => ({ head, column }))
    .filter(({ head, column }) => column > 0 && !("skip" in head.dataset));
  const days = rows.map((row) => Date.parse(row.querySelector("time").dateTime) / 1000);
  const series = shown.map(({ column }) => rows.map((row) => number(row.cells[column])));
  place.hidden = false;
  const width = () => place.clientWidth;
  const axis = { stroke: colour("--ink"), grid: { stroke: colour("--line"), width: 0.5 } };
  const options = {
    width: width(),
    height: 280,
    padding: [null, 16, null, null], // the last point and its date stand at the edge
    tzDate: (/** @type {number} */ seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { y: { range: (/** @type {any[]} */ ...[, , most]) => [0, share ? 100 : Math.max(5, most * 1.1)] } },
    axes: [axis, { ...axis, values: (/** @type {any} */ _chart, /** @type {number[]} */ ticks) =>
      ticks.map((n) => (share ? `${n} %` : n)) }],
    series: [
      { label: heads[0].textContent, value: "{YYYY}-{MM}-{DD}" },
      ...shown.map(({ head }, n) => ({
        label: head.textContent,
        stroke: PALETTE[n % PALETTE.length],
        dash: DASHES[n % DASHES.length],
        width: 2,
        spanGaps: false,
      })),
    ],
  };
  const drawn = new uPlot(options, [days, ...series], place);
  addEventListener("resize", () => drawn.setSize({ width: width(), height: options.height }));
}

/** @param {any} place */
function map(place) {
  const table = /** @type {HTMLTableElement} */ (document.getElementById(place.dataset.mapOf));
  const rows = [...table.tBodies[0].rows]
    .filter((row) => row.dataset.latitude);
  const most = Math.max(1, ...rows.map((row) => number(row.cells[1]) ?? 0));
  place.hidden = false;
  // No tiles: no server of others learns who looks, and nothing is missing without a network.
  const drawn = L.map(place, { attributionControl: false, zoomSnap: 0.25, scrollWheelZoom: false });
  const circles = rows.map((row) => {
    const at = [Number(row.dataset.latitude), Number(row.dataset.longitude)];
    // The area of a circle, not its width, is what the eye compares.
    const radius = 6 + 30 * Math.sqrt((number(row.cells[1]) ?? 0) / most);
    return L.circleMarker(at, { radius, color: colour("--leaf"), weight: 2, fillOpacity: 0.35 })
      .bindTooltip(`${row.cells[0].textContent}: ${row.cells[1].textContent}`,
        { permanent: rows.length <= 12, direction: "top" });
  });
  const all = L.featureGroup(circles).addTo(drawn);
  drawn.fitBounds(all.getBounds().pad(0.25), { maxZoom: 10 });
  L.control.scale({ imperial: false }).addTo(drawn);
}

document.querySelectorAll("[data-chart-of]").forEach(chart);
document.querySelectorAll("[data-map-of]").forEach(map);
