// Tiles of the min/max pyramid: what is here, what is still to be asked for, and how fast one may ask.

const FACTOR = 4, TILE = 1024, MOST_HELD = 4000;
// JupyterLab's server drops a kernel's messages above 1 MB/s over 3 s: stay well below.
const BYTES_A_SECOND = 700e3, BURST = 1.4e6;

const NOTHING = -32768;

class Tiles {
  constructor(model, arrived) {
    this.model = model;
    this.arrived = arrived;
    this.channels = model.get("channels");
    this.held = new Map();
    this.wanted = new Map();
    this.flying = false;
    this.credit = BURST;
    this.credited = performance.now();
    this.coarse = this.unpack(model.get("coarse"));
    this.take = (message, buffers) => this.receive(message, buffers);
    model.on("msg:custom", this.take);
  }

  close() {
    for (const timer of [this.later, this.lost, this.idle]) clearTimeout(timer);
    this.model.off("msg:custom", this.take);
  }

  unpack(view) {
    const steps = new Int16Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    let at = 0;
    return this.channels.map((channel) => channel.bins.map((bins, level) => {
      if (level < channel.coarse_from) return null;
      const whole = { lows: steps.subarray(at, at + bins), highs: steps.subarray(at + bins, at + 2 * bins) };
      at += 2 * bins;
      return whole;
    }));
  }

  /** What to draw of channel `c` between two times, in order; notes what would be sharper. */
  pieces(c, t0, t1, pixel) {
    const channel = this.channels[c], top = channel.bins.length - 1;
    const level = Math.min(top, Math.max(0, Math.floor(Math.log(pixel / channel.step_s) / Math.log(FACTOR))));
    const bin = channel.step_s * FACTOR ** level;
    const from = Math.max(0, Math.floor(t0 / bin) - 2), to = Math.min(channel.bins[level], Math.ceil(t1 / bin) + 3);
    if (level >= channel.coarse_from) return { pieces: [{ ...this.coarse[c][level], from, to, first: 0, bin }], sharp: true };
    const pieces = [];
    let sharp = true;
    for (let number = Math.floor(from / TILE); number * TILE < to; number++) {
      const low = Math.max(from, number * TILE), high = Math.min(to, (number + 1) * TILE), key = `${c}/${level}/${number}`;
      const tile = this.held.get(key);
      if (tile) pieces.push({ ...tile, from: low - number * TILE, to: high - number * TILE, first: number * TILE, bin });
      else {
        sharp = false;
        this.wanted.set(key, [c, level, number]);
        pieces.push(this.blurred(c, level, low, high));
      }
    }
    return { pieces, sharp };
  }

  /** The finest that is here of the bins `low` to `high` of a level that is not. */
  blurred(c, level, low, high) {
    const channel = this.channels[c];
    for (let k = level + 1; k < channel.coarse_from; k++) {
      const by = FACTOR ** (k - level), number = Math.floor(low / by / TILE), tile = this.held.get(`${c}/${k}/${number}`);
      if (tile && Math.ceil(high / by) <= (number + 1) * TILE) {
        const first = number * TILE;
        return { ...tile, from: Math.floor(low / by) - first, to: Math.min(tile.lows.length, Math.ceil(high / by) - first), first, bin: channel.step_s * FACTOR ** k };
      }
    }
    const k = channel.coarse_from, by = FACTOR ** (k - level);
    const whole = this.coarse[c][k];
    return { ...whole, from: Math.floor(low / by), to: Math.min(whole.lows.length, Math.ceil(high / by)), first: 0, bin: channel.step_s * FACTOR ** k };
  }

  /** Note what the next step will want: beside the picture, and one level finer; only while there is credit to spare. */
  ahead(t0, t1, pixel) {
    clearTimeout(this.idle);
    this.idle = setTimeout(() => {
      if (this.flying || this.spare() < BURST / 2) return;
      const length = t1 - t0, quarter = length / 4;
      for (let c = 0; c < this.channels.length; c++) {
        this.pieces(c, t0 - length, t1 + length, pixel);
        this.pieces(c, t0 + quarter, t1 - quarter, pixel / FACTOR);
      }
      this.ask();
    }, 25);
  }

  spare() {
    const now = performance.now();
    this.credit = Math.min(BURST, this.credit + ((now - this.credited) / 1000) * BYTES_A_SECOND);
    this.credited = now;
    return this.credit;
  }

  /** Ask for what the newest picture lacks: one question at a time, and no more bytes than the server lets through. */
  ask() {
    const wanted = [...this.wanted.values()];
    if (!wanted.length || this.flying) return;
    this.wanted.clear();
    const bytes = wanted.length * TILE * 4, spare = this.spare();
    clearTimeout(this.later);
    if (bytes > spare && spare < BURST) { this.later = setTimeout(this.arrived, 60); return; }
    this.credit -= bytes;
    this.flying = true;
    this.lost = setTimeout(() => { this.flying = false; this.arrived(); }, 3000);
    this.model.send({ type: "tiles", wanted });
  }

  receive(message, buffers) {
    if (message.type !== "tiles" || !buffers.length) return;
    const raw = buffers[0], bytes = raw.buffer ? raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.byteLength) : raw;
    const steps = new Int16Array(bytes);
    if (this.held.size > MOST_HELD) this.held.clear();
    let at = 0;
    for (const [c, level, number, bins] of message.tiles) {
      this.held.set(`${c}/${level}/${number}`, { lows: steps.subarray(at, at + bins), highs: steps.subarray(at + bins, at + 2 * bins) });
      at += 2 * bins;
    }
    clearTimeout(this.lost);
    this.flying = false;
    this.arrived();
  }
}
