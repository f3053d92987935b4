// The watched cell, heard: a short click per spike, as from an amplifier.
export class Sound {
  constructor() {
    this.on = false;
  }

  toggle() {
    this.on = !this.on;
    if (this.on && !this.context) {
      this.context = new AudioContext();
      const length = Math.round(this.context.sampleRate * 0.006);
      this.click = this.context.createBuffer(1, length, this.context.sampleRate);
      const data = this.click.getChannelData(0);
      for (let k = 0; k < length; k += 1) data[k] = Math.sin(k * 0.35) * Math.exp(-k / (length / 6));
    }
    this.context?.[this.on ? 'resume' : 'suspend']();
    return this.on;
  }

  // Clicks of a frame, spread over the time that it stands for at the present speed.
  play(frame, watched, dtMs, speed) {
    if (!this.on || frame.kind !== 'S') return;
    for (let k = 0; k < frame.ids.length; k += 1) {
      if (frame.ids[k] !== watched) continue;
      const source = this.context.createBufferSource();
      source.buffer = this.click;
      source.connect(this.context.destination);
      source.start(this.context.currentTime + 0.02 + frame.steps[k] * dtMs / 1000 / speed);
    }
  }
}
