"use strict";
// One clock for the page: the video, a click on a curve or a still sets the time; the cursors,
// the numbers beside each plot and the chosen still follow it.
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const viewer = document.querySelector(".viewer");
  const video = document.querySelector("video");
  const stills = [...document.querySelectorAll(".stills button")];
  const shownStill = document.querySelector(".viewer .still");
  const clock = document.querySelector(".viewer .time");
  const { frameS, startS } = document.getElementById("figures").dataset;
  const frame = Number(frameS) || 1 / 30;
  const start = Number(startS) || 0;
  const coarse = matchMedia("(pointer: coarse)").matches;
  const panels = [];
  let now = null;
  let shownRange = null;

  const degrees = (value) =>
    value === null ? "–" : `${value.toFixed(1).replace(/^-(0\.0)$/, "$1").replace("-", "−")}°`;

  const isMeasured = (trace) => trace.meta.kind === "measured" || trace.meta.kind === "filled";

  // A frame's time stands in the curves even where it has no value: a click lands on a frame.
  function nearestSample(panel, time) {
    let nearest = time;
    let least = Infinity;
    for (const trace of panel.traces) {
      if (trace.meta.kind !== "measured") continue;
      for (const x of trace.x) {
        if (Math.abs(x - time) < least) [nearest, least] = [x, Math.abs(x - time)];
      }
    }
    return nearest;
  }

  function valueAt(trace, time) {
    let low = 0;
    let high = trace.x.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (trace.x[middle] <= time + frame / 2) low = middle + 1;
      else high = middle;
    }
    return low > 0 ? trace.y[low - 1] : null;
  }

  function placeCursor(panel) {
    const axis = panel.plot._fullLayout?.xaxis;
    const size = panel.plot._fullLayout?._size;
    const inside = now !== null && axis && now >= axis.range[0] && now <= axis.range[1];
    panel.cursor.style.display = inside ? "block" : "none";
    if (!inside) return;
    panel.cursor.style.left = `${axis._offset + axis.d2p(now) - 1}px`;
    panel.cursor.style.top = `${size.t}px`;
    panel.cursor.style.height = `${size.h}px`;
  }

  function readOut(panel) {
    for (const [side, output] of panel.outputs) {
      let value = null;
      for (const trace of panel.traces) {
        if (value === null && trace.meta.side === side && isMeasured(trace)) {
          value = valueAt(trace, now);
        }
      }
      output.textContent = degrees(value);
    }
  }

  function setTime(time) {
    now = time;
    if (clock) clock.textContent = `${time.toFixed(2)} s`;
    for (const panel of panels) {
      placeCursor(panel);
      readOut(panel);
    }
    if (!stills.length) return;
    const nearest = stills.reduce((a, b) =>
      Math.abs(b.dataset.time - time) < Math.abs(a.dataset.time - time) ? b : a);
    for (const still of stills) still.setAttribute("aria-current", String(still === nearest));
    if (shownStill) {
      const image = nearest.querySelector("img");
      shownStill.src = image.src;
      shownStill.alt = image.alt;
    }
  }

  const videoPlays = () => video && !viewer.classList.contains("no-video");

  function seek(time) {
    if (videoPlays()) {
      const end = Number.isFinite(video.duration) ? video.duration : time;
      video.currentTime = Math.min(Math.max(time + frame / 4, 0), end);
    }
    setTime(Math.max(time, 0));
  }

  function follow(panel) {
    const { plot } = panel;
    plot.on("plotly_click", (event) => {
      const axis = plot._fullLayout.xaxis;
      const x = event.event.clientX - plot.getBoundingClientRect().left - axis._offset;
      seek(nearestSample(panel, axis.p2d(x)));
    });
    plot.on("plotly_afterplot", () => placeCursor(panel));
    plot.on("plotly_relayout", () => {
      const range = plot._fullLayout.xaxis.range.slice();
      if (shownRange && range[0] === shownRange[0] && range[1] === shownRange[1]) return;
      shownRange = range;
      for (const other of panels) {
        if (other !== panel) Plotly.relayout(other.plot, { "xaxis.range": range.slice() });
      }
    });
  }

  function draw(article) {
    const plot = article.querySelector(".plot");
    if (plot.dataset.drawn) return;
    plot.dataset.drawn = "yes";
    const { data, layout } = figures[Number(article.dataset.figure)];
    layout.dragmode = coarse ? false : "zoom";
    if (shownRange) layout.xaxis.range = shownRange.slice();
    Plotly.newPlot(plot, data, layout, {
      responsive: true,
      displaylogo: false,
      doubleClick: "reset",
      modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "zoomIn2d", "zoomOut2d"],
    });
    const cursor = document.createElement("div");
    cursor.className = "cursor";
    plot.append(cursor);
    const outputs = [...article.querySelectorAll(".readout b")].map((b) => [b.dataset.side, b]);
    const panel = { plot, cursor, outputs, traces: data };
    panels.push(panel);
    follow(panel);
    if (now !== null) {
      placeCursor(panel);
      readOut(panel);
    }
  }

  const drawIn = (group) => group.querySelectorAll(".panel").forEach(draw);
  for (const group of document.querySelectorAll("details.group")) {
    if (group.open) drawIn(group);
    group.addEventListener("toggle", () => group.open && drawIn(group));
  }

  function onFrame(_, metadata) {
    setTime(metadata.mediaTime);
    video.requestVideoFrameCallback(onFrame);
  }

  if (video) {
    const absent = () => viewer.classList.add("no-video");
    video.addEventListener("error", absent);
    if (video.error) absent();
    const begin = () => { if (video.currentTime === 0) seek(start); };
    if (video.readyState >= 1) begin();
    else video.addEventListener("loadedmetadata", begin, { once: true });
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(onFrame);
    else for (const name of ["timeupdate", "seeked"]) {
      video.addEventListener(name, () => setTime(video.currentTime));
    }
    for (const button of document.querySelectorAll("[data-step]")) {
      button.addEventListener("click", () => {
        video.pause();
        seek((now ?? 0) + Number(button.dataset.step) * frame);
      });
    }
    const speed = document.querySelector(".viewer select");
    speed.addEventListener("change", () => { video.playbackRate = Number(speed.value); });
  }
  const isOffScreen = (element) => {
    const { top, bottom } = element.getBoundingClientRect();
    return bottom < 80 || top > innerHeight - 80;
  };
  for (const button of document.querySelectorAll("button[data-time]")) {
    button.addEventListener("click", () => {
      seek(Number(button.dataset.time));
      const article = document.querySelector(`.panel[data-figure="${button.dataset.plot}"]`);
      const group = article?.closest("details");
      if (group && !group.open) {
        group.open = true;
        drawIn(group);
      }
      const shown = article ?? viewer;
      if (shown && isOffScreen(shown)) {
        shown.scrollIntoView({ block: article ? "center" : "nearest", behavior: "smooth" });
      }
    });
  }
  setTime(start);

  const closed = [];
  addEventListener("beforeprint", () => {
    for (const group of document.querySelectorAll("details.group:not([open])")) {
      closed.push(group);
      group.open = true;
      drawIn(group);
    }
    for (const { plot } of panels) {
      const wide = plot.closest(".plots.leg") !== null;
      Plotly.relayout(plot, { width: wide ? 668 : 320, height: wide ? 175 : 165 });
    }
  });
  addEventListener("afterprint", () => {
    for (const { plot } of panels) Plotly.relayout(plot, { width: null, height: 250, autosize: true });
    while (closed.length) closed.pop().open = false;
  });
})();
