// Three ways to the same messages: a socket, a file that is the page itself, a widget of a notebook.
import { mount } from './view.js';

// A transport has `live`, `start(receive)` and `send(message)`; receive gets objects and buffers.
export function socketTransport(location) {
  const token = location.hash.slice(1);
  let socket, receive, tries = 0;
  const open = () => {
    socket = new WebSocket(`ws://${location.host}/socket`);
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => { tries = 0; socket.send(JSON.stringify({ kind: 'join', token })); };
    socket.onmessage = (event) => receive(typeof event.data === 'string' ? JSON.parse(event.data) : event.data);
    socket.onclose = (event) => {
      receive({ kind: 'closed', text: event.code === 1008 ? 'This address lacks its token. Open the one that the terminal shows.' : 'The simulation has ended, or the connection was lost.' });
      if (event.code !== 1008 && tries < 5) setTimeout(open, 500 * 2 ** tries++);
    };
  };
  return {
    live: true,
    start: (handler) => { receive = handler; open(); document.addEventListener('visibilitychange', () => socket.readyState === 1 && socket.send(JSON.stringify({ kind: 'visible', visible: !document.hidden }))); },
    send: (message) => { if (socket?.readyState === 1) socket.send(JSON.stringify(message)); },
  };
}

export function widgetTransport(model) {
  let receive = () => {};
  model.on('msg:custom', (message, buffers) => {
    const data = buffers?.[0];
    receive(message.kind === 'frame' ? (data.buffer ? data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength) : data) : message);
  });
  return { live: true, start: (handler) => { receive = handler; model.send({ kind: 'join' }); }, send: (message) => model.send(message) };
}

const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer;

// A run that is over: its spikes lie in the page, and are played like frames.
export function fileTransport(data) {
  const steps = new Uint32Array(bytes(data.steps)), ids = data.wide ? new Uint32Array(bytes(data.ids)) : new Uint16Array(bytes(data.ids));
  const { dt_ms: dt, end } = data.hello, window = Math.round(20 / dt);
  const state = { playing: true, speed: 1, at: 0, watched: data.hello.watched, debt: 0 };
  const traces = Object.fromEntries(data.traces.map((trace) => [trace.id, { ...trace, values: new Int16Array(bytes(trace.values)) }]));
  let receive, last;
  const find = (step) => { let low = 0, high = steps.length; while (low < high) { const middle = (low + high) >> 1; if (steps[middle] < step) low = middle + 1; else high = middle; } return low; };
  const frame = (first, count) => {
    const [from, to] = [find(first), find(first + count)], trace = traces[state.watched];
    const made = { kind: 'S', number: 0, first, count, levels: [], histogram: null, potentials: [], steps: steps.slice(from, to).map((step) => step - first), ids: ids.slice(from, to) };
    if (trace) { const [a, b] = [Math.ceil(first / trace.every), Math.ceil((first + count) / trace.every)]; made.potentials = trace.values.subarray(a, b); made.every = trace.every; made.start = a * trace.every; }
    return made;
  };
  const status = () => receive({ kind: 'status', phase: 'live', playing: state.playing, speed: state.speed, reached: state.speed, possible: 0, watched: state.watched, time_ms: state.at * dt });
  const seek = (step) => {
    state.at = Math.max(0, Math.min(end, Math.round(step)));
    const from = Math.max(0, state.at - Math.round(10_000 / dt));
    receive({ kind: 'rewind', step: from });
    for (let at = from; at < state.at; at += window) receive(frame(at, Math.min(window, state.at - at)));
    status();
  };
  const tick = (now) => {
    requestAnimationFrame(tick);
    const passed = Math.min(100, now - (last ?? now));
    last = now;
    if (!state.playing) return;
    state.debt += passed * state.speed;
    while (state.debt >= 20 && state.at < end) { const count = Math.min(window, end - state.at); receive(frame(state.at, count)); state.at += count; state.debt -= 20; }
    if (state.at >= end) { state.playing = false; status(); }
  };
  const obey = {
    play: ({ playing }) => { if (playing && state.at >= end) seek(0); state.playing = playing; state.debt = 0; },
    speed: ({ speed }) => { state.speed = speed; },
    step: () => { state.playing = false; if (state.at < end) { const count = Math.min(window, end - state.at); receive(frame(state.at, count)); state.at += count; } },
    watch: ({ cell }) => { state.watched = cell; seek(state.at); },
    seek: ({ step }) => seek(step),
  };
  return {
    live: false, end, traced: Object.keys(traces).map(Number),
    start: (handler) => { receive = handler; receive(data.hello); receive({ kind: 'positions', positions: Float32Array.from(new Uint16Array(bytes(data.positions)), (x) => x / 65535 * data.side) }); status(); requestAnimationFrame(tick); },
    send: (message) => { obey[message.kind]?.(message); status(); },
  };
}

// What anywidget calls.
export function render({ model, el }) {
  mount(el, widgetTransport(model));
}
