// The page: puts the parts together, hands frames to them, and says how things stand.
import { el, clear, number } from './theme.js';
import { decode } from './frames.js';
import { Store } from './store.js';
import { Raster } from './raster.js';
import { Somas } from './somas.js';
import { Rates, Voltage, States } from './charts.js';
import { Knobs } from './knobs.js';
import { Scenes } from './scenes.js';
import { Log } from './log.js';
import { Sound } from './sound.js';

const PHASES = { build: 'drawing the network', place: 'placing somas', wire: 'wiring', measure: 'measuring', compile: 'compiling for this processor, once, up to a minute', warmup: 'warming up', failed: 'the simulation ended' };
const KEYS = [['space', 'go on, pause'], ['S', 'one window'], ['P', 'pulse'], ['1 – 6', 'scene'], ['H', 'all knobs back to the circuit'], ['R', 'back to the start'], ['M', 'sound of the watched cell'], ['A', 'say the rates'], ['+ −', 'zoom in time'], ['← →', 'in a saved run: a second back, on'], ['L', 'light or dark'], ['?', 'this list']];

class View {
  constructor(root, transport) {
    Object.assign(this, { root, transport, status: { phase: 'build', playing: true, speed: 1, watched: 0 }, controls: false, frames: [], sound: new Sound(), took: 16, turn: -1, drew: 0, shown: 0, opened: performance.now() });
    root.classList.add('neo');
    root.dataset.theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
    root.dataset.tab = 'activity';
    this.wait = el('div', { class: 'wait', role: 'status' }, 'connecting …');
    root.append(this.wait);
    this.clock = setInterval(() => this.waiting(), 250);
    this.state = { frames: 0, draws: 0 };
    root.neostriatum = this;
    transport.start((message) => this.hear(message));
  }

  hear(message) {
    if (message instanceof ArrayBuffer) {
      const frame = decode(message, this.store?.histogram.bins);
      if (frame.kind === 'P') this.place(frame.positions);
      else this.frames.push(frame);
      return;
    }
    const known = { hello: 'greet', status: 'stand', applied: 'apply', log: 'log', branch: 'branch', role: 'role', refused: 'refuse', saved: 'save', closed: 'close', positions: 'positions', rewind: 'rewind', weights: 'weigh' };
    if (message.kind in known) this[known[message.kind]](message);
    else if (message.kind && message.first !== undefined) this.frames.push(message);
  }

  greet(hello) {
    clearInterval(this.clock);
    this.store = new Store(hello);
    this.store.changes = (hello.log || []).filter((line) => Object.keys(line.set).length).map((line) => ({ step: line.step, label: line.label, number: line.number }));
    this.controls = hello.controls ?? false;
    this.build(hello);
    this.clock = setInterval(() => this.waiting(), 250);
    this.allow();
    if (!this.looping) { this.looping = true; requestAnimationFrame((now) => this.draw(now)); }
  }

  build(hello) {
    const { transport, store, root } = this;
    const button = (name, text, title, act) => (this[name] = el('button', { type: 'button', title, 'aria-label': title, onclick: act }, text));
    const total = Object.values(hello.counts).reduce((a, b) => a + b, 0);
    this.time = el('output', { class: 'time', 'aria-label': 'simulated time' }, '0.0 s');
    this.pace = el('span', { class: 'pace' });
    this.speed = el('input', { type: 'range', class: 'speed', min: '-1', max: '1', step: '0.01', value: '0', title: 'speed, 0.1 to 10 times real time', 'aria-label': 'speed', oninput: () => transport.send({ kind: 'speed', speed: Number((10 ** Number(this.speed.value)).toPrecision(3)) }) });
    this.role_ = el('button', { type: 'button', class: 'quiet', hidden: true, onclick: () => transport.send({ kind: 'control' }) }, 'looking only – take control');
    const tools = [button('mark', 'Mark', 'a line to come back to', () => transport.send({ kind: 'mark' })), button('keep', 'Save', 'save the run and its events', () => transport.send({ kind: 'save' })), button('homeAll', 'Reset', 'all knobs back to the circuit (H)', () => this.knobs.home('all knobs back'))];
    const bar = el('header', { class: 'bar' },
      el('h1', {}, el('i', { class: 'logo' }), 'neostriatum ', el('span', { class: 'muted' }, `${hello.circuit}, ${total.toLocaleString('en')} cells`)),
      el('div', { class: 'transport' }, button('playButton', '❚❚', 'pause (space)', () => this.play()), button('stepButton', '▸❘', 'one window (S)', () => transport.send({ kind: 'step' })), this.time,
        this.speed, this.pace),
      el('div', { class: 'tools' }, this.role_, ...(transport.live ? tools : []), button('soundButton', 'Sound', 'hear the watched cell (M)', () => this.listen()), button('themeButton', '◐', 'light or dark (L)', () => this.turnTheme()), button('helpButton', '?', 'keys (?)', () => this.help.showModal())));
    const panel = (name, title, ...content) => el('section', { class: `panel ${name}`, 'aria-label': title }, el('h2', {}, title), ...content);
    this.rasterCanvas = el('canvas', { class: 'fill', role: 'img', 'aria-label': 'spikes over time, a band for every cell type; click to watch a cell' });
    this.somasCanvas = el('canvas', { class: 'fill', tabindex: '0', role: 'img', 'aria-label': 'somas in space; a spike is a flash. Arrow keys turn it' });
    this.rateBox = el('div', { class: 'cards' });
    this.voltageBox = el('div', { class: 'chart', role: 'img', 'aria-label': 'potential of the watched cell over the last second' });
    this.stateBox = el('div', { class: 'chart', role: 'img', 'aria-label': 'how the potentials of all types are spread' });
    this.watchedText = el('span', { class: 'muted' });
    this.knobBox = el('div', { class: 'knobs' });
    this.sceneBox = el('div', { class: 'scene' });
    this.logBox = el('div', { class: 'log' });
    this.notice = el('div', { class: 'notice', role: 'alert', hidden: true });
    this.live = el('div', { class: 'unseen', 'aria-live': 'polite' });
    this.help = el('dialog', { class: 'help', 'aria-label': 'keys' }, el('h2', {}, 'Keys'), el('dl', {}, ...KEYS.flatMap(([key, text]) => [el('dt', {}, el('kbd', {}, key)), el('dd', {}, text)])), el('p', { class: 'muted' }, 'Click a dot, or a soma, to watch that cell. The wheel zooms. Drag turns the somas.'), el('button', { type: 'button', onclick: () => this.help.close() }, 'close'));
    const tabs = [['activity', 'Activity'], ['cells', 'Cells'], ...(transport.live ? [['knobs', 'Knobs'], ['scenes', 'Scenes']] : []), ['log', 'Log']];
    this.tabs = el('nav', { class: 'tabs', 'aria-label': 'parts of the page' }, ...tabs.map(([name, text]) => el('button', { type: 'button', 'aria-pressed': `${name === 'activity'}`, onclick: () => this.tab(name) }, text)));
    const left = transport.live ? el('div', { class: 'left' }, panel('knobs-panel', 'Knobs', this.knobBox), panel('scenes-panel', 'Scenes', this.sceneBox)) : null;
    const right = el('div', { class: 'right' }, panel('somas-panel', 'Somas', this.somasCanvas), panel('voltage-panel', 'Watched cell', this.watchedText, this.tracedCells(), this.voltageBox), store.histogram && transport.live ? panel('states-panel', 'Potentials of all cells', this.stateBox) : null);
    const scrub = transport.live ? null : (this.scrub = el('input', { type: 'range', class: 'scrub', min: '0', max: `${transport.end}`, step: '1', value: '0', 'aria-label': 'time', oninput: () => transport.send({ kind: 'seek', step: Number(this.scrub.value) }) }));
    const middle = el('div', { class: 'middle' }, panel('raster-panel', 'Spikes', (this.mergedText = el('span', { class: 'muted merged' })), this.rasterCanvas), scrub, panel('rates-panel', 'Rates, mean of 5 s', this.rateBox), panel('log-panel', transport.live ? 'Log of changes, the recipe' : 'Events of this run', this.logBox));
    root.classList.toggle('over', !transport.live);
    clear(root, bar, this.tabs, el('div', { class: 'grid' }, left, middle, right), this.notice, this.live, this.help, this.wait);
    this.fill();
  }

  // The parts that need their boxes to be in the page.
  fill() {
    const { root, store, transport } = this, watch = (cell) => transport.send({ kind: 'watch', cell });
    this.raster = new Raster(root, this.rasterCanvas, store, watch);
    this.somas = new Somas(root, this.somasCanvas, store, watch);
    if (!this.somas.gl) this.somasCanvas.replaceWith(el('p', { class: 'muted' }, 'This browser has no WebGL 2, which draws the somas.'));
    this.rates = new Rates(root, this.rateBox, store);
    this.voltage = new Voltage(root, this.voltageBox, store);
    if (transport.live) {
      this.states = new States(root, this.stateBox, store);
      this.knobs = new Knobs(this.knobBox, store, transport);
      this.scenes = new Scenes(this.sceneBox, store, { home: (label) => this.knobs.home(label), set: (values, label) => this.knobs.set(values, label), blind: (on) => root.classList.toggle('blind', on), seconds: () => store.step * store.dt_ms / 1000, allowed: () => this.controls, say: (text) => this.say(text), open: () => this.tab('scenes') });
    }
    this.slow = [[120, () => this.voltage.draw()], [160, () => this.numbers()], [320, () => this.rates.draw()], [320, () => this.states?.draw()]].map(([every, draw]) => ({ every, draw, at: 0 }));
    this.logs = new Log(this.logBox, store, transport);
    if (!this.keysHeard) { this.keysHeard = true; (this.root.closest('body > main') ? document : this.root).addEventListener('keydown', (event) => this.key(event)); }
  }

  place(positions) {
    this.somas.place(positions);
  }

  positions({ positions }) {
    this.place(positions);
  }

  // ---- how things stand ----
  stand(status) {
    const started = this.status.phase !== status.phase;
    this.status = { ...this.status, ...status };
    if (started) this.since = performance.now();
    this.waiting();
    if (!this.store) return;
    const { playing, speed, reached, possible } = this.status;
    this.playButton.textContent = playing ? '❚❚' : '▶';
    this.playButton.title = playing ? 'pause (space)' : 'go on (space)';
    this.playButton.setAttribute('aria-label', this.playButton.title);
    if (document.activeElement !== this.speed) this.speed.value = `${Math.log10(speed)}`;
    this.speed.style.setProperty('--value', `${50 + 50 * Math.log10(speed)}%`);
    this.speed.setAttribute('aria-valuetext', `${number(speed, 2)} times real time`);
    const slow = this.transport.live && playing && possible && reached < 0.9 * speed && possible < speed;
    const told = playing && this.status.phase === 'live' ? `${number(reached || speed, 2)}× real time` : 'paused';
    clear(this.pace, el('b', {}, told), el('span', { class: 'muted' }, slow ? ` too slow here for ${number(speed, 2)}×` : ` (asked ${number(speed, 2)}×)`));
    this.pace.classList.toggle('slow', Boolean(slow));
    this.cellText();
  }

  waiting() {
    const { phase, error, warm } = this.status, since = (performance.now() - (this.since || this.opened)) / 1000;
    this.root.classList.toggle('busy', phase !== 'live');
    if (this.closed) { clear(this.wait, el('b', {}, this.closed)); this.wait.hidden = false; return; }
    this.wait.hidden = phase === 'live';
    if (phase === 'live') return;
    const told = phase === 'failed' ? `${PHASES.failed}: ${error}` : `${PHASES[phase] || phase} … ${phase === 'warmup' ? `${Math.round(100 * (warm || 0))} %` : ''}`;
    clear(this.wait, el('b', {}, told), el('span', { class: 'muted' }, phase === 'failed' ? 'The last picture stays, and so does the run folder. A line of the log leads back.' : `${number(since, 3)} s`));
  }

  close({ text }) {
    this.closed = text;
    this.waiting();
  }

  allow() {
    const { controls, transport } = this;
    this.role_.hidden = controls || !transport.live;
    this.knobs?.enable(controls);
    this.logs.enable(controls);
    if (!transport.live) return;
    for (const one of [this.playButton, this.stepButton, this.speed, this.mark, this.keep, this.homeAll]) one.disabled = !controls;
  }

  role({ controls }) {
    this.controls = controls;
    this.allow();
  }

  apply({ values, step, line }) {
    this.knobs?.applied(values);
    const known = this.store.changes.find((change) => change.number === line.number);
    if (known) known.label = line.label;
    else this.store.changes.push({ step, label: line.label, number: line.number });
    this.logs.one(line);
    this.raster.stale = true;
    clearTimeout(this.telling);
    this.telling = setTimeout(() => this.tellRates(line.label), 3000);
  }

  weigh(weights) {
    this.knobs?.weigh(weights);
  }

  log({ lines }) {
    this.logs.all(lines);
  }

  branch({ step, values }) {
    this.frames = [];
    this.store.restart(step);
    this.raster.again();
    this.knobs?.applied(values);
    this.tellNotice(`back at ${number(step * this.store.dt_ms / 1000, 4)} s: what came after it is gone`);
  }

  rewind({ step }) {
    this.frames = [];
    const changes = this.store.changes;
    this.store.restart(step);
    this.store.changes = changes;
    this.raster.again();
  }

  refuse({ text }) {
    this.tellNotice(text);
    for (const [name, value] of Object.entries(this.knobs?.values || {})) this.knobs.show(name, value);
  }

  save(saved) {
    this.logs.keep(saved);
    this.tab('log');
    this.tellNotice(`saved in ${saved.folder}`);
  }

  tellNotice(text) {
    this.notice.textContent = text;
    this.notice.hidden = false;
    clearTimeout(this.hiding);
    this.hiding = setTimeout(() => { this.notice.hidden = true; }, 6000);
  }

  say(text) {
    this.live.textContent = text;
  }

  tellRates(label = '') {
    if (this.root.classList.contains('blind')) return;
    const means = this.store.means(2).map(({ mean }, type) => `${this.store.types[type]} ${number(mean, 2)} hertz`);
    this.say(`${label ? `${label}. ` : ''}${means.join(', ')}`);
  }

  cellText() {
    const { watched } = this.status, type = this.store.typeOf(watched), name = this.store.types[type];
    const traced = this.transport.live || this.transport.traced.includes(watched);
    this.watchedText.textContent = `${name} ${watched - this.store.start(type)}, id ${watched}${traced ? '' : ' (its potential was not recorded)'}`;
  }

  // In a saved run only some cells have a potential: a list of them.
  tracedCells() {
    const { transport, store } = this;
    if (transport.live || !transport.traced.length) return null;
    const name = (cell) => { const type = store.typeOf(cell); return `${store.types[type]} ${cell - store.start(type)}`; };
    return el('select', { 'aria-label': 'cells whose potential was recorded', onchange: (event) => transport.send({ kind: 'watch', cell: Number(event.target.value) }) },
      ...transport.traced.map((cell) => el('option', { value: `${cell}`, selected: cell === store.watched }, name(cell))));
  }

  // ---- what a person does ----
  play() {
    this.transport.send({ kind: 'play', playing: !this.status.playing });
  }

  listen() {
    const on = this.sound.toggle();
    this.soundButton.setAttribute('aria-pressed', `${on}`);
    this.soundButton.textContent = on ? 'Sound on' : 'Sound';
  }

  turnTheme() {
    this.root.dataset.theme = this.root.dataset.theme === 'dark' ? 'light' : 'dark';
    for (const part of [this.raster, this.somas, this.rates, this.voltage, this.states]) if (part?.again && (part !== this.somas || this.somas.ready)) part.again();
  }

  tab(name) {
    this.root.dataset.tab = name;
    const names = ['activity', 'cells', ...(this.transport.live ? ['knobs', 'scenes'] : []), 'log'];
    [...this.tabs.children].forEach((button, k) => button.setAttribute('aria-pressed', `${names[k] === name}`));
  }

  key(event) {
    const typing = event.target.closest?.('input:not([type=range]):not([type=checkbox]), select, textarea, dialog[open]');
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !this.store) return;
    if (event.key === ' ' && event.target.closest('button, summary')) return;
    const { transport, controls } = this, second = 1000 / this.store.dt_ms;
    const free = { m: () => this.listen(), a: () => this.tellRates(), l: () => this.turnTheme(), '?': () => this.help.showModal(), '+': () => this.raster.zoom(0.8), '-': () => this.raster.zoom(1.25) };
    const live = { p: () => this.knobs.pulse?.(), h: () => this.knobs.home('all knobs back'), r: () => { const first = [...this.logs.lines.values()][0]; if (first) transport.send({ kind: 'back', line: first.number }); } };
    const both = { ' ': () => this.play(), s: () => transport.send({ kind: 'step' }) };
    const over = { ArrowLeft: () => transport.send({ kind: 'seek', step: this.store.step - second }), ArrowRight: () => transport.send({ kind: 'seek', step: this.store.step + second }) };
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const act = free[key] || (!transport.live ? both[key] || (event.target.type === 'range' ? null : over[key]) : controls ? both[key] || live[key] || (/^[1-9]$/.test(key) ? () => this.scenes.ask(Number(key) - 1) : null) : null);
    if (!act) return;
    event.preventDefault();
    act();
  }

  // ---- every picture ----
  draw(now) {
    requestAnimationFrame((next) => this.draw(next));
    const { store, transport, status } = this;
    let last = 0;
    for (const frame of this.frames) {
      const jump = frame.first !== store.step;
      store.take(frame, status.watched);
      if (jump && store.frames.length < 2) this.raster.again();
      this.raster.add(frame);
      this.somas.add(frame, now);
      this.sound.play(frame, status.watched, store.dt_ms, status.speed || 1);
      last = frame.number;
      this.state.frames += 1;
    }
    this.frames = [];
    if (last && transport.live) transport.send({ kind: 'ack', number: last });
    // Where a picture takes long, thirty a second are enough, and a third of them has new somas, which cost most.
    if (this.drew) this.took = 0.9 * this.took + 0.1 * Math.min(100, now - this.drew);
    this.drew = 0;
    const busy = this.took > 18;
    if (busy && now - this.shown < 30) return;
    const somas = (this.turn = (this.turn + 1) % (busy ? 3 : 1)) === 0;
    if (this.raster.stale || somas) {
      this.drew = this.shown = now;
      this.state.draws += 1;
    }
    if (this.raster.stale) this.raster.draw();
    if (somas) {
      this.somas.draw(now, status.watched, Math.min(300, now - (this.somasDrawn || now)));
      this.somasDrawn = now;
    }
    // The slower parts take turns, at most one in a picture.
    const due = this.slow.find((part) => now >= part.at);
    if (due) {
      due.at = now + due.every;
      due.draw();
    }
  }

  numbers() {
    const { store } = this, time = `${(store.step * store.dt_ms / 1000).toFixed(1)} s`;
    if (this.time.textContent !== time) this.time.textContent = time;
    if (this.scrub && document.activeElement !== this.scrub) this.scrub.value = `${store.step}`;
    this.scenes?.tick();
    this.levelText();
    if (store.lost === this.lost) return;
    this.lost = store.lost;
    this.mergedText.textContent = store.lost ? `${store.lost.toLocaleString('en')} windows merged, as this page draws slowly` : '';
  }

  // The levels that the circuit computes by itself.
  levelText() {
    const box = this.knobs?.levels;
    if (!box || !this.store.levelsNow.length) return;
    const given = new Set(this.store.knobs.filter((knob) => !knob.free).map((knob) => knob.name));
    const text = this.store.levels.flatMap((name, k) => (given.has(`level.${name}`) ? [] : [`${name} ${this.store.levelsNow[k].toFixed(2)}`])).join('   ');
    if (box.textContent !== text) box.textContent = text;
  }
}

export function mount(root, transport) {
  return new View(root, transport);
}
