// Elements, colours, and what a person has asked for: light or dark, and how much motion.
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value);
    else if (key === 'class') made.className = value;
    else if (key in made && key !== 'list' && typeof value !== 'string') made[key] = value;
    else made.setAttribute(key, value === true ? '' : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export function clear(element, ...children) {
  element.replaceChildren(...children);
  return element;
}

export const calm = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

const parts = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
const luminance = (rgb) => {
  const [r, g, b] = rgb.map((x) => x / 255).map((x) => (x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};

export function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

// A colour of the palette that can be read on the paper: mixed with white or black until it can.
export function readable(hex, paper) {
  const own = parts(hex), ground = parts(paper), towards = luminance(ground) < 0.3 ? 255 : 0;
  for (let share = 0; share < 1; share += 0.05) {
    const mixed = own.map((x) => Math.round(x + share * (towards - x)));
    if (contrast(mixed, ground) >= 4.6) return `rgb(${mixed.join(',')})`;
  }
  return towards ? '#ffffff' : '#000000';
}

export function rgb(colour) {
  return colour[0] === '#' ? parts(colour) : colour.match(/\d+/g).slice(0, 3).map(Number);
}

// Reads a variable of style.css, so that a canvas has the colours of the page; kept until the theme changes.
const read = new Map();
export function colourOf(root, name) {
  const key = `${root.dataset.theme} ${name}`;
  if (!read.has(key)) read.set(key, getComputedStyle(root).getPropertyValue(name).trim());
  return read.get(key);
}

// A number with so many significant digits, but no more than two decimals.
export const number = (value, digits = 3) => {
  if (!Number.isFinite(value)) return '–';
  const places = value ? Math.min(2, Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(value))))) : 0;
  const text = value.toFixed(places);
  return (Number(text) === 0 ? '0' : text).replace('-', '−');
};

// A context that the processor draws: little is drawn, and without a graphics card the browser's copy of one takes ten times as long.
export const plain = (canvas) => canvas.getContext('2d', { willReadFrequently: true });

// A canvas that is as sharp as the screen; draws again when its size changes.
export function sharp(canvas, changed) {
  const fit = () => {
    const scale = Math.min(devicePixelRatio || 1, 2), box = canvas.getBoundingClientRect();
    const width = Math.max(1, Math.round(box.width * scale)), height = Math.max(1, Math.round(box.height * scale));
    if (canvas.width === width && canvas.height === height) return;
    canvas.width = width;
    canvas.height = height;
    changed(width, height, scale);
  };
  new ResizeObserver(fit).observe(canvas);
  fit();
}
