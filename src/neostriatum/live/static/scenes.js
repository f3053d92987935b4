// Scenes: a question first, then the change, then what was seen beside what was measured.
import { el, clear, number } from './theme.js';

const LOOK_S = 5;

export class Scenes {
  constructor(box, store, act) {
    Object.assign(this, { box, store, act, state: 'list' });
    this.list();
  }

  list() {
    this.now = null;
    this.act.blind(false);
    const all = this.store.scenes;
    clear(this.box, el('p', { class: 'muted' }, all.length ? 'Predict first: a question, then the change, then the answer in your own simulation.' : 'There are no scenes for this circuit.'),
      el('ol', { class: 'scenes' }, ...all.map((scene, k) => el('li', {}, el('button', { type: 'button', onclick: () => this.ask(k) }, el('b', {}, `${k + 1}. ${scene.title}`), el('span', { class: 'muted' }, scene.question))))));
  }

  ask(k) {
    const scene = this.store.scenes[k];
    if (!scene || !this.act.allowed()) return;
    this.now = scene;
    this.act.home(`before scene: ${scene.title}`);
    this.asked = this.act.seconds();
    const choices = scene.choices.map((text, place) => el('button', { type: 'button', class: 'choice', onclick: () => this.answer(place) }, text));
    clear(this.box, el('h3', {}, scene.title), el('p', {}, scene.question), el('div', { class: 'choices' }, ...choices), this.leave());
    this.box.querySelector('.choice').focus();
    this.act.open();
  }

  answer(place) {
    const scene = this.now;
    this.place = place;
    this.before = this.store.means(Math.max(1, Math.min(8, this.act.seconds() - this.asked)));
    this.act.blind(true);
    this.act.set(scene.values, `scene: ${scene.title}`);
    this.turned = this.act.seconds();
    this.wait = el('progress', { max: `${LOOK_S + 1}`, value: '0', 'aria-label': 'time until the answer' });
    clear(this.box, el('h3', {}, scene.title), el('p', {}, `You said: ${scene.choices[place]}. Now look …`), this.wait, this.leave());
  }

  // Called now and then; ends the wait when enough was simulated.
  tick() {
    if (!this.wait || !this.now) return;
    const since = this.act.seconds() - this.turned;
    this.wait.value = since;
    if (since < LOOK_S + 1) return;
    this.wait = null;
    this.reveal();
  }

  reveal() {
    const scene = this.now, right = this.place === scene.answer, after = this.store.means(LOOK_S);
    this.act.blind(false);
    const rows = this.store.types.filter((name) => name in scene.after).map((name) => {
      const type = this.store.types.indexOf(name), [was, is] = [this.before[type].mean, after[type].mean];
      return el('tr', {}, el('th', { scope: 'row' }, name), el('td', {}, `${number(was, 3)} → ${number(is, 3)}`), el('td', {}, `×${number(is / was, 3)}`),
        el('td', { class: 'muted', title: `${number(scene.before[name], 3)} → ${number(scene.after[name], 3)} Hz` }, `×${number(scene.after[name] / scene.before[name], 3)}`));
    });
    const head = ['', 'here, Hz', '', 'measured'].map((text) => el('th', { scope: 'col' }, text));
    clear(this.box, el('h3', {}, scene.title), el('p', { class: right ? 'right' : 'wrong' }, right ? `Yes: ${scene.choices[scene.answer]}.` : `Not “${scene.choices[this.place]}”, but: ${scene.choices[scene.answer]}.`),
      el('table', {}, el('thead', {}, el('tr', {}, ...head)), el('tbody', {}, ...rows)), el('p', {}, scene.why),
      el('p', { class: 'muted' }, 'Measured: 10,000 neurons, 10 s. Here: a few seconds, so rates of few cells scatter.'), this.leave());
    this.act.say(`${right ? 'Right' : 'Not so'}: ${scene.choices[scene.answer]}`);
  }

  leave() {
    return el('button', { type: 'button', class: 'quiet', onclick: () => { this.wait = null; this.act.home('scene ends'); this.list(); } }, 'back to the circuit and the list');
  }
}
