// Spikes over time: a band per type, a dot per spike of a sample of cells, a line at every change.
import { sharp, colourOf, readable, plain } from './theme.js';

const HEAD = 18;
const LEFT = 4;
// Cells that may share a row of dots, where there are many more of them than rows.
const SHARE = 4;

export class Raster {
  constructor(root, canvas, store, onPick) {
    Object.assign(this, { root, canvas, store, onPick });
    this.seconds = Math.min(innerWidth < 760 ? 2 : 5, (store.end || Infinity) * store.dt_ms / 1000);
    this.buffer = document.createElement('canvas');
    this.ink = plain(this.buffer);
    this.screen = plain(canvas);
    sharp(canvas, (width, height, scale) => this.resize(width, height, scale));
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.25 : 0.8);
    }, { passive: false });
    canvas.addEventListener('click', (event) => this.pick(event));
  }

  zoom(factor) {
    this.seconds = Math.min(10, Math.max(0.25, this.seconds * factor));
    this.resize(this.canvas.width, this.canvas.height, this.scale);
  }

  resize(width, height, scale) {
    const { store } = this;
    this.scale = scale;
    this.width = Math.max(1, width - LEFT * scale);
    this.buffer.width = this.width;
    this.buffer.height = height;
    this.perStep = this.width / (this.seconds * 1000 / store.dt_ms);
    // Types with few cells get more room than their share, or nobody would see them.
    const shares = store.types.map((name) => Math.sqrt(store.counts[name] || 0)), head = HEAD * scale;
    const free = height - store.types.length * head, sum = shares.reduce((a, b) => a + b) || 1;
    const least = Math.min(26 * scale, free / store.types.length);
    let rest = free - least * store.types.length, top = 0;
    rest = Math.max(0, rest);
    this.bands = store.types.map((name, type) => {
      const tall = Math.floor(least + rest * shares[type] / sum), cells = store.counts[name] || 0;
      const dot = Math.max(1, Math.round(1.5 * scale)), rows = Math.max(1, Math.floor(tall / dot));
      const band = { name, label: top, top: top + head, tall, dot, rows, every: Math.max(1, Math.ceil(cells / (rows * SHARE))), cells };
      band.dot = cells < rows ? Math.min(Math.floor(tall / Math.max(1, cells)), 4 * scale) : dot;
      band.shown = Math.max(1, Math.ceil(cells / band.every));
      band.pitch = tall / Math.min(rows, band.shown);
      band.told = `${cells.toLocaleString('en')} cells${band.every > 1 ? `, 1 in ${band.every} shown` : ''}`;
      top += head + tall;
      return band;
    });
    this.again();
  }

  again() {
    const { store } = this;
    this.paper = colourOf(this.root, '--panel');
    this.muted = colourOf(this.root, '--muted');
    this.accent = colourOf(this.root, '--accent');
    this.onAccent = colourOf(this.root, '--on-accent');
    this.raised = colourOf(this.root, '--raised');
    this.font = colourOf(this.root, '--font') || 'sans-serif';
    this.screen.font = this.bold();
    for (const band of this.bands) band.past = this.screen.measureText(band.name).width;
    this.colours = store.types.map((name) => readable(store.colours[name], this.paper));
    const ctx = this.ink;
    ctx.fillStyle = this.paper;
    ctx.fillRect(0, 0, this.buffer.width, this.buffer.height);
    this.stale = true;
    // In their order, as each wipes what the one before it drew beyond its end.
    const merged = store.merged.map((one) => ({ ...one, kind: 'M' }));
    const shown = [...merged, ...store.frames].filter((one) => one.first + one.count > this.first());
    for (const frame of shown.sort((one, other) => one.first - other.first)) this.add(frame);
  }

  // The first step that the buffer still shows: what is older lies where newer columns are.
  first() {
    return this.store.step - this.width / this.perStep;
  }

  bold() {
    return `600 ${11.5 * this.scale}px ${this.font}`;
  }

  // The width of a spike.
  dash() {
    return Math.max(2, Math.round(this.scale * 1.5));
  }

  x(step) {
    return ((Math.floor(step * this.perStep) % this.width) + this.width) % this.width;
  }

  wipe(from, to) {
    const ctx = this.ink, start = Math.floor(from * this.perStep), stop = Math.floor(to * this.perStep) + 3;
    ctx.fillStyle = this.paper;
    if (stop - start >= this.width) return ctx.fillRect(0, 0, this.width, this.buffer.height);
    const x = ((start % this.width) + this.width) % this.width, wide = stop - start;
    ctx.fillRect(x, 0, Math.min(wide, this.width - x), this.buffer.height);
    if (x + wide > this.width) ctx.fillRect(0, 0, x + wide - this.width, this.buffer.height);
    return undefined;
  }

  spikes(frame) {
    const ctx = this.ink, { store } = this, wide = this.dash(), first = this.first();
    for (let type = 0; type < this.bands.length; type += 1) {
      const band = this.bands[type], start = store.start(type), end = store.ends[type];
      ctx.fillStyle = this.colours[type];
      for (let k = 0; k < frame.ids.length; k += 1) {
        const id = frame.ids[k], step = frame.first + frame.steps[k];
        if (id < start || id >= end || (id - start) % band.every || step <= first) continue;
        const row = Math.floor((id - start) / band.every * Math.min(1, band.rows / band.shown));
        ctx.fillRect(this.x(step), band.top + Math.floor(row * band.pitch), wide, band.dot);
      }
    }
  }

  add(frame) {
    this.stale = true;
    this.wipe(frame.first, frame.first + frame.count);
    if (frame.kind === 'S') this.spikes(frame);
    else this.unseen(frame);
  }

  // A stretch of merged windows, whose spikes were only counted.
  unseen({ first, count }) {
    const from = Math.max(first, this.first()), ctx = this.ink;
    if (from >= first + count) return;
    ctx.fillStyle = this.raised;
    const x = this.x(from), wide = Math.max(1, Math.floor((first + count - from) * this.perStep));
    ctx.fillRect(x, 0, Math.min(wide, this.width - x), this.buffer.height);
    if (x + wide > this.width) ctx.fillRect(0, 0, Math.min(x, x + wide - this.width), this.buffer.height);
  }

  draw() {
    const ctx = this.screen, { store, scale } = this, height = this.canvas.height;
    this.stale = false;
    ctx.fillStyle = this.paper;
    ctx.fillRect(0, 0, this.canvas.width, height);
    const now = this.x(store.step), left = LEFT * scale;
    ctx.drawImage(this.buffer, now, 0, this.width - now, height, left, 0, this.width - now, height);
    if (now) ctx.drawImage(this.buffer, 0, 0, now, height, left + this.width - now, 0, now, height);
    // The oldest columns lie beyond the newest, whose dashes reach into them.
    ctx.fillRect(left, 0, this.dash(), height);
    const tags = this.lines(ctx, left, height);
    ctx.font = this.bold();
    ctx.textBaseline = 'middle';
    this.bands.forEach((band, type) => {
      ctx.fillStyle = this.colours[type];
      ctx.fillRect(left, band.label + 5 * scale, 8 * scale, 8 * scale);
      ctx.fillText(band.name, left + 14 * scale, band.label + HEAD * scale / 2);
    });
    ctx.font = `400 ${11 * scale}px ${this.font}`;
    ctx.fillStyle = this.muted;
    for (const band of this.bands) ctx.fillText(band.told, left + band.past + 24 * scale, band.label + HEAD * scale / 2);
    this.tags(ctx, tags);
  }

  // A line at every change; returns the texts that have room, from the newest on.
  lines(ctx, left, height) {
    const { store, scale } = this, first = store.step - this.width / this.perStep, tags = [];
    ctx.font = `500 ${11 * scale}px ${this.font}`;
    ctx.strokeStyle = this.accent;
    ctx.lineWidth = 1.5 * scale;
    ctx.setLineDash([4 * scale, 3 * scale]);
    let last = Infinity;
    for (let k = store.changes.length - 1; k >= 0; k -= 1) {
      const change = store.changes[k];
      if (change.step < first) break;
      if (change.step > store.step) continue;
      const x = left + (change.step - first) * this.perStep;
      ctx.beginPath();
      ctx.moveTo(x, 0);
      ctx.lineTo(x, height);
      ctx.stroke();
      if (change.label.startsWith('end of ')) continue;  // its beginning has the label
      const wide = ctx.measureText(change.label).width + 10 * scale, to = Math.min(x, this.canvas.width - wide);
      if (to + wide > last) continue;
      tags.push({ text: change.label, x: to, wide });
      last = to - 4 * scale;
    }
    ctx.setLineDash([]);
    return tags;
  }

  tags(ctx, tags) {
    const { scale } = this;
    ctx.font = `500 ${11 * scale}px ${this.font}`;
    for (const { text, x, wide } of tags) {
      ctx.fillStyle = this.accent;
      ctx.fillRect(x, scale, wide, 16 * scale);
      ctx.fillStyle = this.onAccent;
      ctx.fillText(text, x + 5 * scale, 9.5 * scale);
    }
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect(), y = (event.clientY - box.top) * this.scale;
    const type = this.bands.findIndex((band) => y >= band.top && y < band.top + band.tall);
    if (type < 0) return;
    const band = this.bands[type], place = Math.floor((y - band.top) / band.tall * band.shown);
    this.onPick(Math.min(this.store.ends[type] - 1, this.store.start(type) + place * band.every));
  }
}
