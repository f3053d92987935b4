// Every soma where it lies, in three dimensions; a spike is a flash that fades.
import { sharp, colourOf, readable, rgb, calm } from './theme.js';

const FADE_MS = 90;
const VERTEX = `#version 300 es
in vec3 place; in float flash; in float type;
uniform float now, turn, tilt, zoom, scale, aspect, watched, bright, still, base; uniform vec3 colours[12];
out vec4 colour;
void main() {
  float c = cos(turn), s = sin(turn), ct = cos(tilt), st = sin(tilt);
  vec3 q = vec3(place.x * c - place.y * s, place.x * s + place.y * c, place.z);
  q = vec3(q.x, q.y * ct - q.z * st, q.y * st + q.z * ct);
  float depth = 2.6 + q.y;
  gl_Position = vec4(q.x * zoom / depth / aspect, q.z * zoom / depth, q.y * 0.1, 1.0);
  float on = exp(-max(0.0, now - flash) / ${FADE_MS.toFixed(1)});
  bool mine = float(gl_VertexID) == watched;
  gl_PointSize = scale * (zoom / 2.2) * (1.9 + (type > 1.5 ? 1.4 : 0.0) + (still > 0.5 ? 1.5 : 3.6) * on + (mine ? 6.0 : 0.0)) * 2.6 / depth;
  vec3 own = colours[int(type)];
  colour = vec4(mine ? vec3(bright) : mix(own, mix(own, vec3(bright), bright > 0.5 ? 0.6 : 0.35), on), mine ? 1.0 : clamp(base * (1.25 - 0.6 * q.y) + on, 0.0, 1.0));
}`;
const FRAGMENT = `#version 300 es
precision mediump float; in vec4 colour; out vec4 pixel;
void main() { vec2 d = gl_PointCoord - 0.5; float r = dot(d, d); if (r > 0.25) discard; pixel = vec4(colour.rgb, colour.a * smoothstep(0.25, 0.16, r)); }`;

export class Somas {
  constructor(root, canvas, store, onPick) {
    Object.assign(this, { root, canvas, store, onPick, turn: 0.6, tilt: 0.35, zoom: 2.6, moved: 0, still: calm() });
    this.gl = canvas.getContext('webgl2', { antialias: false, alpha: false });
    sharp(canvas, (width, height, scale) => { this.scale = scale; this.fresh = true; });
    if (!this.gl) return;
    this.program = this.build();
    canvas.addEventListener('pointerdown', (event) => { this.held = [event.clientX, event.clientY]; this.moved = 0; canvas.setPointerCapture(event.pointerId); });
    canvas.addEventListener('pointermove', (event) => {
      if (!this.held) return;
      const dx = event.clientX - this.held[0], dy = event.clientY - this.held[1];
      this.moved += Math.abs(dx) + Math.abs(dy);
      this.turn += dx / 150;
      this.tilt = Math.min(1.5, Math.max(-1.5, this.tilt + dy / 150));
      this.held = [event.clientX, event.clientY];
    });
    canvas.addEventListener('pointerup', (event) => { if (this.moved < 6) this.pick(event); this.held = null; });
    canvas.addEventListener('wheel', (event) => { event.preventDefault(); this.zoom = Math.min(9, Math.max(1.2, this.zoom * (event.deltaY > 0 ? 0.9 : 1.1))); }, { passive: false });
    canvas.addEventListener('keydown', (event) => {
      const step = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
      if (!step) return;
      event.preventDefault();
      this.turn += step[0];
      this.tilt += step[1];
    });
  }

  build() {
    const { gl } = this, program = gl.createProgram();
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS)) throw new Error(gl.getShaderInfoLog(shader));
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    return program;
  }

  place(positions) {
    const n = positions.length / 3;
    const low = [Infinity, Infinity, Infinity], high = [-Infinity, -Infinity, -Infinity];
    for (let k = 0; k < positions.length; k += 1) {
      low[k % 3] = Math.min(low[k % 3], positions[k]);
      high[k % 3] = Math.max(high[k % 3], positions[k]);
    }
    this.places_ = {};
    this.side = Math.max(...high.map((top, k) => top - low[k]), 1);
    this.places = Float32Array.from(positions, (value, k) => 1.5 * (value - (low[k % 3] + high[k % 3]) / 2) / this.side);
    this.flash = new Float32Array(n).fill(-1e6);
    if (!this.gl) return;
    const types = new Float32Array(n);
    for (let k = 0; k < n; k += 1) types[k] = this.store.typeOf(k);
    this.attribute('place', this.places, 3);
    this.attribute('type', types, 1);
    this.flashes = this.attribute('flash', this.flash, 1);
    this.ready = true;
    this.again();
  }

  attribute(name, data, size) {
    const { gl } = this, buffer = gl.createBuffer(), at = gl.getAttribLocation(this.program, name);
    gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
    gl.bufferData(gl.ARRAY_BUFFER, data, name === 'flash' ? gl.DYNAMIC_DRAW : gl.STATIC_DRAW);
    gl.enableVertexAttribArray(at);
    gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
    return buffer;
  }

  again() {
    const paper = colourOf(this.root, '--panel');
    this.dark = rgb(paper)[0] < 128;
    this.ground = rgb(paper).map((x) => x / 255);
    this.colours = this.store.types.slice(0, 12).flatMap((name) => rgb(readable(this.store.colours[name], paper)).map((x) => x / 255));
  }

  add(frame, now) {
    if (this.flash && frame.kind === 'S') for (const id of frame.ids) this.flash[id] = now;
  }

  draw(now, watched, elapsed) {
    if (!this.ready || !this.canvas.width) return;
    const { gl } = this, at = (name) => (this.places_[name] ??= gl.getUniformLocation(this.program, name));
    if (!this.held && !this.still) this.turn += elapsed * 0.00006;
    gl.viewport(0, 0, this.canvas.width, this.canvas.height);
    gl.clearColor(...this.ground, 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.blendFunc(gl.SRC_ALPHA, this.dark ? gl.ONE : gl.ONE_MINUS_SRC_ALPHA);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.flashes);
    gl.bufferSubData(gl.ARRAY_BUFFER, 0, this.flash);
    gl.uniform3fv(at('colours'), new Float32Array(this.colours));
    const uniforms = { now, turn: this.turn, tilt: this.tilt, zoom: this.zoom, scale: this.scale, watched, bright: this.dark ? 1 : 0, still: this.still ? 1 : 0, base: this.dark ? 0.3 : 0.5, aspect: this.canvas.width / this.canvas.height };
    for (const [name, value] of Object.entries(uniforms)) gl.uniform1f(at(name), value);
    gl.drawArrays(gl.POINTS, 0, this.flash.length);
  }

  pick(event) {
    const box = this.canvas.getBoundingClientRect(), aspect = box.width / box.height;
    const x = 2 * (event.clientX - box.left) / box.width - 1, y = 1 - 2 * (event.clientY - box.top) / box.height;
    const [c, s, ct, st] = [Math.cos(this.turn), Math.sin(this.turn), Math.cos(this.tilt), Math.sin(this.tilt)];
    let best = -1, nearest = 0.003;
    for (let k = 0; k < this.flash.length; k += 1) {
      const [px, py, pz] = this.places.subarray(3 * k, 3 * k + 3), qx = px * c - py * s, qy = px * s + py * c;
      const depth = 2.6 + qy * ct - pz * st, dx = qx * this.zoom / depth / aspect - x, dy = (qy * st + pz * ct) * this.zoom / depth - y;
      const far = (dx * aspect) ** 2 + dy ** 2;
      if (far < nearest) [nearest, best] = [far, k];
    }
    if (best >= 0) this.onPick(best);
  }
}
