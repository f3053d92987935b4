// The log of changes, which is the recipe: every line can be gone back to.
import { el, clear, number } from './theme.js';

export class Log {
  constructor(box, store, transport) {
    Object.assign(this, { box, store, transport, lines: new Map(), allowed: false });
    this.list = el('ol', { class: 'lines', 'aria-label': 'changes so far' });
    this.saved = el('div', { class: 'saved' });
    box.append(this.saved, this.list);
    this.all(store.log || []);
  }

  all(lines) {
    this.lines = new Map(lines.map((line) => [line.number, line]));
    this.draw();
  }

  one(line) {
    this.lines.set(line.number, line);
    this.draw();
  }

  draw() {
    clear(this.list, ...[...this.lines.values()].reverse().map((line) => {
      const recipe = Object.entries(line.set).map(([key, value]) => `${key} = ${value}`).join('\n');
      const back = el('button', { type: 'button', class: 'quiet', disabled: !this.allowed || !line.back, title: line.back ? 'go back to before this and branch from there' : 'too long ago: not kept', 'aria-label': `go back to before ${line.label}`, onclick: () => this.transport.send({ kind: 'back', line: line.number }) }, '↶');
      const text = recipe ? el('details', {}, el('summary', {}, line.label), el('code', {}, recipe)) : el('span', {}, line.label);
      return el('li', {}, el('time', {}, `${number(line.time_ms / 1000, 4)} s`), text, line.back !== undefined ? back : null);
    }));
  }

  enable(allowed) {
    this.allowed = allowed;
    this.draw();
  }

  // What was saved, and how to do it again without a page.
  keep(saved) {
    const command = (text) => el('div', { class: 'command' }, el('code', {}, text), el('button', { type: 'button', class: 'quiet', 'aria-label': `copy ${text}`, onclick: (event) => { navigator.clipboard?.writeText(text); event.target.textContent = 'copied'; } }, 'copy'));
    clear(this.saved, el('p', {}, el('b', {}, `Saved in ${saved.folder}`), `: ${number(saved.duration_ms / 1000, 4)} s, ${saved.events} change(s). The same spikes again, or a report, or files for other tools:`),
      ...saved.commands.map(command), el('p', { class: 'muted' }, `spike hash ${saved.spike_hash.slice(0, 16)}…`));
  }
}
