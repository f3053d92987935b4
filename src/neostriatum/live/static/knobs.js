// The knobs: a slider, a box for the number, and a way back to where the circuit has it.
import { el, number } from './theme.js';

const OPEN = ['Dopamine', 'Other modulators', 'Input'];

export class Knobs {
  constructor(box, store, transport) {
    Object.assign(this, { box, store, transport, rows: {}, values: { ...store.values }, wanted: {} });
    const groups = new Map();
    for (const knob of store.knobs) groups.set(knob.group, [...(groups.get(knob.group) || []), knob]);
    for (const [group, knobs] of groups) {
      const list = el('div', { class: 'rows' }, ...knobs.map((knob) => this.row(knob)));
      const fold = el('details', { class: 'group', open: OPEN.includes(group) }, el('summary', {}, group), list);
      if (group === 'Dopamine' && knobs.length === 2) {
        fold.classList.add('dopamine');
        this.linked = el('input', { type: 'checkbox', checked: true, id: 'linked' });
        list.append(el('label', { class: 'link', for: 'linked' }, this.linked, ' D1 and D2 together'));
        this.pair = knobs.map((knob) => knob.name);
      }
      if (group === 'Dopamine' && store.lessons?.length) list.append(this.lessons());
      if (group === 'Input') list.append(this.pulses(knobs));
      if (group === 'Other modulators') list.append((this.levels = el('div', { class: 'levels' })));
      box.append(fold);
    }
    for (const knob of store.knobs) this.show(knob.name, this.values[knob.name]);
  }

  row(knob) {
    const id = `knob-${knob.name.replace(/[^\w]/g, '-')}`, unit = knob.unit ? ` ${knob.unit}` : '';
    const range = el('input', { type: 'range', id, min: `${knob.low}`, max: `${knob.high}`, step: `${knob.step}`, 'aria-describedby': `${id}-about` });
    const box = el('input', { type: 'number', min: `${knob.low}`, max: `${knob.high}`, step: 'any', placeholder: knob.free ? 'auto' : null, 'aria-label': `${knob.label}${unit}, number` });
    const home = el('button', { class: 'home', type: 'button', title: 'back to the circuit\'s own value', 'aria-label': `${knob.label}: back to ${knob.value ?? 'computed'}`, onclick: () => this.turn(knob.name, knob.value) }, '↺');
    const tick = knob.value ?? (knob.free ? 1 : knob.low), place = (tick - knob.low) / (knob.high - knob.low);
    range.style.setProperty('--preset', `${(100 * place).toFixed(2)}%`);
    const about = [knob.help, knob.source].filter(Boolean).join(' · ');
    const row = el('div', { class: 'knob', title: about },
      el('label', { for: id }, knob.label), el('span', { class: 'entry' }, box, el('span', { class: 'unit' }, unit), home), range,
      el('span', { class: 'about', id: `${id}-about` }, about));
    if (knob.free) {
      const free = el('input', { type: 'checkbox', 'aria-label': `${knob.label}: computed by the circuit` });
      free.addEventListener('change', () => this.turn(knob.name, free.checked ? null : Number(range.value)));
      row.append(el('label', { class: 'link' }, free, ' computed by the circuit'));
      row.free = free;
    }
    range.addEventListener('input', () => this.turn(knob.name, Number(range.value)));
    box.addEventListener('change', () => {
      const value = box.valueAsNumber;
      if (Number.isFinite(value)) this.turn(knob.name, Math.min(knob.high, Math.max(knob.low, value)));
    });
    this.rows[knob.name] = { row, range, box, free: row.free, knob };
    return row;
  }

  pulses(knobs) {
    const which = el('select', { 'aria-label': 'input of the pulse' }, ...knobs.map((knob) => el('option', { value: knob.name }, knob.label)));
    const times = el('select', { 'aria-label': 'strength of the pulse' }, ...[2, 3, 5, 10].map((k) => el('option', { value: `${k}`, selected: k === 5 }, `× ${k}`)));
    const long = el('select', { 'aria-label': 'length of the pulse' }, ...[20, 50, 100, 300].map((k) => el('option', { value: `${k}`, selected: k === 50 }, `${k} ms`)));
    this.pulse = () => this.transport.send({ kind: 'pulse', knob: which.value, factor: Number(times.value), length_ms: Number(long.value) });
    return el('div', { class: 'pulse' }, el('button', { type: 'button', onclick: () => this.pulse(), title: 'P' }, 'Pulse'), which, times, long);
  }

  // What dopamine tells synapses that learn, and where their weights are.
  lessons() {
    const told = { reward: ['Reward', 'three times the input that learns for 200 ms, then a burst'], burst: ['Dopamine burst', 'dopamine at 1 for 200 ms'], dip: ['Dopamine dip', 'dopamine at 0 for 400 ms'] };
    const button = (name) => el('button', { type: 'button', title: told[name][1], onclick: () => this.transport.send({ kind: 'lesson', name }) }, told[name][0]);
    this.weights = el('div', { class: 'levels' });
    return el('div', { class: 'lessons' }, el('div', { class: 'pulse' }, ...this.store.lessons.map(button)), this.weights);
  }

  weigh({ means }) {
    if (this.weights) this.weights.textContent = `mean weight: ${Object.entries(means).map(([name, mean]) => `${name.replace('->', ' → ')} ${mean.toFixed(3)}`).join(', ')}`;
  }

  turn(name, value, label = '') {
    const values = { [name]: value };
    if (this.pair && this.linked.checked && this.pair.includes(name)) for (const other of this.pair) values[other] = name === other || value !== this.rows[name].knob.value ? value : this.rows[other].knob.value;
    this.set(values, label);
  }

  // Several knobs at once; the newest value of each goes out with the next picture.
  set(values, label = '') {
    Object.assign(this.wanted, values);
    for (const [name, value] of Object.entries(values)) this.show(name, value);
    this.label = label || this.label;
    if (this.waiting) return;
    this.waiting = true;
    const send = () => {
      this.waiting = false;
      this.transport.send({ kind: 'turn', values: this.wanted, label: this.label || '' });
      this.wanted = {};
      this.label = '';
    };
    requestAnimationFrame(send);
  }

  home(label) {
    this.set(Object.fromEntries(this.store.knobs.map((knob) => [knob.name, knob.value])), label);
  }

  // What the server applied; a knob that somebody is dragging stays where the finger is.
  applied(values) {
    Object.assign(this.values, values);
    for (const [name, value] of Object.entries(values)) if (!(name in this.wanted) && document.activeElement !== this.rows[name]?.range) this.show(name, value);
  }

  show(name, value) {
    const row = this.rows[name];
    if (!row) return;
    const { knob, range, box, free } = row, level = value ?? 1;
    range.value = `${level}`;
    if (document.activeElement !== box) box.value = value === null ? '' : `${Number(level.toPrecision(4))}`;
    range.setAttribute('aria-valuetext', value === null ? 'computed by the circuit' : `${number(level, 3)} ${knob.unit}`.trim());
    range.style.setProperty('--value', `${(100 * (level - knob.low) / (knob.high - knob.low)).toFixed(2)}%`);
    row.row.classList.toggle('turned', value !== knob.value);
    if (free) free.checked = value === null;
  }

  enable(allowed) {
    this.box.querySelectorAll('input, button, select').forEach((one) => { one.disabled = !allowed; });
  }
}
