// Rates with their published range, the potential of one cell, the states of all: drawn by uPlot.
import { el, colourOf, readable, number } from './theme.js';

const SECONDS = 20;
const CUT_MV = -38;
const FLOOR_MV = -92;

function plot(root, box, options, data) {
  const size = () => ({ width: Math.max(40, Math.floor(box.clientWidth)), height: Math.max(30, Math.floor(box.clientHeight)) });
  // uPlot asks for a context without options, and a canvas keeps to the first one that it gave.
  const { getContext } = HTMLCanvasElement.prototype;
  HTMLCanvasElement.prototype.getContext = function context(kind) { return getContext.call(this, kind, { willReadFrequently: true }); };
  const made = new uPlot({ ...size(), pxAlign: 0, cursor: { show: false }, legend: { show: false }, ...options }, data, box);
  HTMLCanvasElement.prototype.getContext = getContext;
  new ResizeObserver(() => { const { width, height } = size(); if (width !== made.width || height !== made.height) made.setSize({ width, height }); }).observe(box);
  return made;
}

const axis = (root, more = {}) => ({ stroke: () => colourOf(root, '--muted'), font: '11px system-ui, sans-serif', grid: { show: false }, ticks: { show: false }, gap: 2, size: 30, ...more });

// A card per type: its rate, the published range, and the last seconds.
export class Rates {
  constructor(root, box, store) {
    Object.assign(this, { root, store });
    this.cards = store.types.map((name) => {
      const chart = el('div', { class: 'spark' }), value = el('output', { class: 'rate' }, '–'), spread = el('span', { class: 'muted spread', title: 'standard deviation of half seconds' }, '');
      const range = store.published[name], told = range ? `in vivo ${number(range.low, 2)}–${number(range.high, 2)}` : 'in vivo: –';
      const card = el('article', { class: 'card', title: range ? `${range.conditions} (${range.source})` : `no published rate of ${name} is among the targets` },
        el('header', {}, el('i', { class: 'swatch' }), el('b', {}, name), spread),
        el('div', { class: 'now' }, value, el('span', { class: 'unit' }, ' Hz')), chart, el('div', { class: 'muted range' }, told));
      box.append(card);
      return { name, card, chart, value, spread, range };
    });
    this.again();
  }

  again() {
    this.paper = colourOf(this.root, '--panel');
    this.cards.forEach((card, type) => {
      const colour = readable(this.store.colours[card.name], this.paper);
      card.card.querySelector('.swatch').style.background = colour;
      card.card.style.borderTopColor = colour;
      card.plot?.destroy();
      card.top = 1;
      card.plot = plot(this.root, card.chart, {
        scales: { x: { time: false }, y: { range: () => [0, card.top] } },
        axes: [{ show: false }, axis(this.root, { size: 26, splits: () => [0, card.top], values: (_, all) => all.map((x) => number(x, 2)) })],
        series: [{}, { stroke: colour, width: 1.6, fill: colour.replace('rgb', 'rgba').replace(')', ',.13)'), points: { show: false } }],
        hooks: { drawClear: [(u) => this.under(u, card)], draw: [(u) => this.over(u)] },
      }, [[], []]);
    });
  }

  under(u, card) {
    if (!card.range) return;
    const top = u.valToPos(Math.min(card.top, card.range.high), 'y', true), low = u.valToPos(card.range.low, 'y', true);
    u.ctx.fillStyle = colourOf(this.root, '--band');
    u.ctx.fillRect(u.bbox.left, top, u.bbox.width, low - top);
  }

  over(u) {
    u.ctx.save();
    u.ctx.strokeStyle = colourOf(this.root, '--accent');
    u.ctx.setLineDash([4, 3]);
    for (const change of this.store.changes.slice(-60)) {
      const x = u.valToPos(change.step * this.store.dt_ms / 1000, 'x', true);
      if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
      u.ctx.beginPath();
      u.ctx.moveTo(x, u.bbox.top);
      u.ctx.lineTo(x, u.bbox.top + u.bbox.height);
      u.ctx.stroke();
    }
    u.ctx.restore();
  }

  draw() {
    const { t, rates } = this.store.rates(), means = this.store.means(5), end = this.store.step * this.store.dt_ms / 1000;
    this.cards.forEach((card, type) => {
      const smooth = rates[type].map((_, k, all) => { const part = all.slice(Math.max(0, k - 4), k + 1); return part.reduce((a, b) => a + b) / part.length; });
      const most = Math.max(1e-3, ...smooth, card.range && card.range.high < 4 * Math.max(...smooth, 0.1) ? card.range.high : 0);
      const nice = 10 ** Math.floor(Math.log10(most)), top = [1, 1.5, 2, 3, 5, 7.5, 10].map((k) => k * nice).find((k) => k >= most);
      card.top = !card.topTill || top > card.top || performance.now() > card.topTill ? ((card.topTill = performance.now() + 4000), top) : card.top;
      card.plot.batch(() => { card.plot.setData([t, smooth], false); card.plot.setScale('x', { min: end - SECONDS, max: end }); card.plot.setScale('y', { min: 0, max: card.top }); });
      card.value.textContent = number(means[type].mean, 3);
      card.spread.textContent = Number.isFinite(means[type].sd) ? `± ${number(means[type].sd, 2)}` : '';
    });
  }
}

// The potential of the watched cell for a second, cut where spikes begin, with a tick per spike.
export class Voltage {
  constructor(root, box, store) {
    Object.assign(this, { root, box, store });
    this.again();
  }

  again() {
    this.plot?.destroy();
    this.plot = plot(this.root, this.box, {
      scales: { x: { time: false }, y: { range: () => [FLOOR_MV, CUT_MV + 4] } },
      axes: [axis(this.root, { size: 18, values: (_, all) => all.map((x) => `${number(x, 4)} s`), space: 70 }),
        axis(this.root, { size: 44, splits: () => [-90, -70, -50], values: (_, all) => all.map((x) => `${number(x, 2)} mV`) })],
      series: [{}, { stroke: () => colourOf(this.root, '--ink'), width: 1.2, points: { show: false } }],
      hooks: { draw: [(u) => this.ticks(u)] },
    }, [[], []]);
  }

  ticks(u) {
    u.ctx.fillStyle = colourOf(this.root, '--accent');
    for (const step of this.store.spikeSteps) {
      const x = u.valToPos(step * this.store.dt_ms / 1000, 'x', true);
      if (x >= u.bbox.left) u.ctx.fillRect(x - 1, u.bbox.top, 2.5, 12 * devicePixelRatio);
    }
  }

  draw() {
    const { store } = this, t = [], v = [], stride = Math.max(1, Math.round(0.5 / store.dt_ms)), end = store.step * store.dt_ms / 1000;
    let until = null;
    for (const part of store.trace) {
      const pitch = part.every || 1;
      if (until !== null && part.first - until > 2 * pitch * stride) { t.push(part.first * store.dt_ms / 1000); v.push(null); }
      until = part.first + part.values.length * pitch;
      for (let k = 0; k < part.values.length; k += part.every ? 1 : stride) {
        t.push((part.first + k * pitch) * store.dt_ms / 1000);
        v.push(Math.min(CUT_MV, part.values[k] / 100));
      }
    }
    this.plot.batch(() => { this.plot.setData([t, v], false); this.plot.setScale('x', { min: end - 1, max: end }); this.plot.setScale('y', { min: FLOOR_MV, max: CUT_MV + 4 }); });
  }
}

// How the potentials of a sample of every type are spread: down, up, or in between.
export class States {
  constructor(root, box, store) {
    Object.assign(this, { root, box, store });
    const { bins, lowest, width } = store.histogram;
    this.x = Array.from({ length: bins }, (_, k) => lowest + (k + 0.5) * width);
    this.mean = store.types.map(() => new Array(bins).fill(0));
    this.again();
  }

  again() {
    this.plot?.destroy();
    const paper = colourOf(this.root, '--panel');
    this.plot = plot(this.root, this.box, {
      scales: { x: { time: false, range: () => [-95, -35] }, y: { range: (_, low, high) => [0, Math.max(high, 0.05) * 1.1] } },
      axes: [axis(this.root, { size: 18, splits: () => [-90, -80, -70, -60, -50, -40], values: (_, all) => all.map((x) => (x === -40 ? '−40 mV' : number(x, 2))) }), { show: false }],
      series: [{}, ...this.store.types.map((name) => ({ stroke: readable(this.store.colours[name], paper), width: 1.6, points: { show: false }, paths: uPlot.paths.spline() }))],
    }, [this.x, ...this.mean]);
  }

  draw() {
    const now = this.store.histogramNow;
    if (!now || now === this.last) return;
    this.last = now;
    const bins = this.x.length;
    this.mean.forEach((mean, type) => { for (let k = 0; k < bins; k += 1) mean[k] += 0.15 * (now[type * bins + k] / 255 - mean[k]); });
    this.plot.setData([this.x, ...this.mean]);
  }
}
