// Binary frames, as live/frames.py packs them.
const word = (at) => (at + 3) & ~3;

export function decode(buffer, bins) {
  const view = new DataView(buffer), kind = String.fromCharCode(view.getUint8(0));
  if (kind === 'P') return { kind, positions: new Float32Array(buffer, 4) };
  const flags = view.getUint8(1), extra = view.getUint16(2, true);
  const frame = { kind, number: view.getUint32(4, true), first: view.getInt32(8, true), count: view.getUint32(12, true) };
  if (kind === 'M') {
    frame.windows = view.getUint32(16, true);
    frame.spikes = new Uint32Array(buffer, 20, extra);
    return frame;
  }
  const spikes = view.getUint32(16, true), types = view.getUint16(20, true), samples = view.getUint16(22, true);
  let at = 24;
  frame.levels = new Float32Array(buffer, at, extra);
  at += 4 * extra;
  frame.potentials = new Int16Array(buffer, at, samples);
  at += 2 * samples;
  frame.histogram = types ? new Uint8Array(buffer, at, types * bins) : null;
  at = word(at + types * bins);
  frame.steps = new Uint16Array(buffer, at, spikes);
  at = word(at + 2 * spikes);
  frame.ids = flags & 1 ? new Uint32Array(buffer, at, spikes) : new Uint16Array(buffer, at, spikes);
  return frame;
}
