// What the page knows: the circuit, the last seconds of spikes, rates in bins, changes.
export const BIN_MS = 100;
const KEPT_S = 30;

export class Store {
  constructor(hello) {
    Object.assign(this, hello);
    this.ends = [];
    let end = 0;
    for (const name of this.types) this.ends.push((end += this.counts[name] || 0));
    this.total = end;
    this.binSteps = Math.round(BIN_MS / this.dt_ms);
    this.restart(0);
  }

  // Forget what lies after a step: somebody went back, or a file is shown from another place on.
  restart(step) {
    this.step = step;
    this.frames = [];
    this.merged = [];
    this.bins = new Map();
    this.changes = (this.changes || []).filter((change) => change.step < step);
    this.trace = [];
    this.levelTrace = [];
    this.spikeSteps = [];
    this.lost = 0;
    this.levelsNow = this.levelsNow || [];
    this.fresh = true;
  }

  typeOf(id) {
    let type = 0;
    while (type < this.ends.length - 1 && id >= this.ends[type]) type += 1;
    return type;
  }

  start(type) {
    return type ? this.ends[type - 1] : 0;
  }

  take(frame, watched) {
    if (frame.first !== this.step && this.frames.length) this.restart(frame.first);
    this.step = frame.first + frame.count;
    if (frame.kind === 'M') {
      this.merged.push({ first: frame.first, count: frame.count });
      this.lost += frame.windows;
      const whole = Math.max(1, Math.round(frame.count / this.binSteps));
      for (let k = 0; k < whole; k += 1) {
        const bin = this.bin(frame.first + k * this.binSteps);
        frame.spikes.forEach((count, type) => { bin.counts[type] += count / whole; });
        bin.steps += frame.count / whole;
      }
    } else {
      this.frames.push(frame);
      for (let k = 0; k < frame.ids.length; k += 1) {
        this.bin(frame.first + frame.steps[k]).counts[this.typeOf(frame.ids[k])] += 1;
        if (frame.ids[k] === watched) this.spikeSteps.push(frame.first + frame.steps[k]);
      }
      for (let at = frame.first; at < this.step;) {
        const bin = this.bin(at), next = Math.min(this.step, (bin.number + 1) * this.binSteps);
        bin.steps += next - at;
        at = next;
      }
      this.levelsNow = Array.from(frame.levels);
      if (frame.potentials.length) this.trace.push({ first: frame.start ?? frame.first, values: frame.potentials, every: frame.every });
      if (frame.histogram) this.histogramNow = frame.histogram;
    }
    this.forget();
  }

  bin(step) {
    const key = Math.floor(step / this.binSteps);
    let found = this.bins.get(key);
    if (!found) this.bins.set(key, (found = { number: key, counts: this.types.map(() => 0), steps: 0 }));
    return found;
  }

  forget() {
    const second = 1000 / this.dt_ms, old = this.step - 12 * second;
    while (this.frames.length && this.frames[0].first < old) this.frames.shift();
    while (this.trace.length && this.trace[0].first < this.step - 1.2 * second) this.trace.shift();
    while (this.spikeSteps.length && this.spikeSteps[0] < this.step - 1.2 * second) this.spikeSteps.shift();
    for (const key of this.bins.keys()) {
      if (key * this.binSteps >= this.step - (KEPT_S + 1) * second) break;
      this.bins.delete(key);
    }
    while (this.merged.length > 200) this.merged.shift();
  }

  // Rates [Hz] of every type in whole bins: {t: seconds, rates: [type][bin]}.
  rates() {
    const t = [], rates = this.types.map(() => []);
    for (const bin of this.bins.values()) {
      if (bin.steps < this.binSteps * 0.99) continue;
      t.push((bin.number + 0.5) * BIN_MS / 1000);
      bin.counts.forEach((count, type) => {
        rates[type].push(count / Math.max(1, this.counts[this.types[type]]) / (bin.steps * this.dt_ms / 1000));
      });
    }
    return { t, rates };
  }

  // Mean rate of the last seconds, and its standard deviation over bins of half a second.
  means(seconds = 5, until = Infinity) {
    const { t, rates } = this.rates(), last = Math.min(until, t.length ? t[t.length - 1] : 0);
    return rates.map((all) => {
      const kept = all.filter((_, k) => t[k] > last - seconds && t[k] <= last), halves = [];
      for (let k = 0; k + 5 <= kept.length; k += 5) halves.push(kept.slice(k, k + 5).reduce((a, b) => a + b) / 5);
      const mean = kept.length ? kept.reduce((a, b) => a + b) / kept.length : NaN;
      const middle = halves.length ? halves.reduce((a, b) => a + b) / halves.length : NaN;
      const sd = halves.length > 1 ? Math.sqrt(halves.reduce((a, b) => a + (b - middle) ** 2, 0) / (halves.length - 1)) : NaN;
      return { mean, sd, seconds: kept.length * BIN_MS / 1000 };
    });
  }
}
