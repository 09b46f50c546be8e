/** The image: window and level, zoom and pan, and a map laid over it. */

const FOR = [213, 94, 0];
const AGAINST = [0, 114, 178];
const MAX_ZOOM = 16;

export class Viewer {
  constructor(canvas, onWindow) {
    this.canvas = canvas;
    this.onWindow = onWindow;
    this.image = null;
    this.map = null;
    this.opacity = 0.7;
    this.base = document.createElement("canvas");
    this.cells = document.createElement("canvas");
    this.pointers = new Map();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Show pixels from the server, or nothing. */
  show(image) {
    this.image = image;
    this.map = null;
    this.reset();
  }

  /** Back to the whole image and the file's own window. */
  reset() {
    this.zoom = 1;
    this.x = 0;
    this.y = 0;
    if (this.image) {
      const { low, high, window } = this.image.facts;
      this.setWindow(...(window ?? [low, high]));
    } else this.draw();
  }

  get isGrey() {
    return this.image !== null && this.image.facts.channels === 1;
  }

  /** Values up to `low` are black, from `high` on white. */
  setWindow(low, high) {
    const span = this.image.facts.high - this.image.facts.low;
    this.low = low;
    this.high = Math.max(high, low + span / 4096);
    this.paint();
    this.draw();
    this.onWindow(this);
  }

  /** The range of levels and widths, in the unit of the file. */
  get range() {
    return [this.image.facts.low, this.image.facts.high];
  }

  /** Lay a map over the image; null takes it away. */
  setMap(map, limit) {
    this.map = map;
    if (map) this.paintMap(map, limit);
    this.draw();
  }

  setOpacity(value) {
    this.opacity = value;
    this.draw();
  }

  paint() {
    const { width, height, channels, bits, low, high } = this.image.facts;
    const { codes } = this.image;
    const top = 2 ** bits - 1;
    const unit = (high - low) / top;
    const table = new Uint8ClampedArray(top + 1);
    const [from, to] = this.isGrey ? [this.low, this.high] : [low, high];
    for (let code = 0; code <= top; code++) table[code] = (255 * (low + code * unit - from)) / (to - from);
    this.base.width = width;
    this.base.height = height;
    const data = new ImageData(width, height);
    const out = data.data;
    for (let i = 0, j = 0; i < out.length; i += 4, j += channels) {
      out[i] = table[codes[j]];
      out[i + 1] = channels === 1 ? out[i] : table[codes[j + 1]];
      out[i + 2] = channels === 1 ? out[i] : table[codes[j + 2]];
      out[i + 3] = 255;
    }
    this.base.getContext("2d").putImageData(data, 0, 0);
  }

  paintMap({ grid }, limit) {
    this.cells.height = grid.length;
    this.cells.width = grid[0].length;
    const data = new ImageData(this.cells.width, this.cells.height);
    grid.flat().forEach((value, place) => {
      const color = value >= 0 ? FOR : AGAINST;
      data.data.set([...color, 255 * Math.min(1, Math.abs(value) / limit)], 4 * place);
    });
    this.cells.getContext("2d").putImageData(data, 0, 0);
  }

  draw() {
    const { canvas } = this;
    const dots = window.devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * dots);
    const height = Math.round(canvas.clientHeight * dots);
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!this.image) return;
    const fit = Math.min(width / this.base.width, height / this.base.height) * this.zoom;
    const left = width / 2 + this.x * dots - (this.base.width * fit) / 2;
    const top = height / 2 + this.y * dots - (this.base.height * fit) / 2;
    context.setTransform(fit, 0, 0, fit, left, top);
    context.imageSmoothingEnabled = fit < 4;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.base, 0, 0);
    if (!this.map) return;
    const [t, l, b, r] = this.map.box;
    context.imageSmoothingEnabled = true;
    context.globalAlpha = this.opacity;
    const { width: w, height: h } = this.base;
    context.drawImage(this.cells, l * w, t * h, (r - l) * w, (b - t) * h);
    context.globalAlpha = 1;
  }

  zoomBy(factor, atX = 0, atY = 0) {
    const before = this.zoom;
    this.zoom = Math.min(MAX_ZOOM, Math.max(1, before * factor));
    const change = this.zoom / before;
    this.moveTo(atX - (atX - this.x) * change, atY - (atY - this.y) * change);
  }

  moveTo(x, y) {
    const reachX = ((this.zoom - 1) * this.canvas.clientWidth) / 2;
    const reachY = ((this.zoom - 1) * this.canvas.clientHeight) / 2;
    this.x = Math.min(reachX, Math.max(-reachX, x));
    this.y = Math.min(reachY, Math.max(-reachY, y));
    this.draw();
  }

  /** Change width (dx) and level (dy) by shares of the whole range. */
  changeWindow(dx, dy) {
    if (!this.isGrey) return;
    const span = this.image.facts.high - this.image.facts.low;
    const level = (this.low + this.high) / 2 + dy * span;
    const width = Math.max(span / 4096, this.high - this.low + dx * span);
    this.setWindow(level - width / 2, level + width / 2);
  }

  listen() {
    const { canvas } = this;
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    canvas.addEventListener("dblclick", () => this.reset());
    canvas.addEventListener("pointerdown", (event) => {
      if (!this.image) return;
      canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", (event) => this.drag(event));
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  wheel(event) {
    if (!this.image) return;
    event.preventDefault();
    const box = this.canvas.getBoundingClientRect();
    const at = [event.clientX - box.left - box.width / 2, event.clientY - box.top - box.height / 2];
    this.zoomBy(Math.exp(-event.deltaY / 400), ...at);
  }

  drag(event) {
    const last = this.pointers.get(event.pointerId);
    if (!last) return;
    const dx = event.clientX - last.clientX;
    const dy = event.clientY - last.clientY;
    if (this.pointers.size === 2) {
      const other = [...this.pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
      const apart = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
      this.zoomBy(apart(event) / apart(last));
    } else if (event.shiftKey || (!this.isGrey && this.zoom > 1)) {
      this.moveTo(this.x + dx, this.y + dy);
    } else {
      const side = this.canvas.clientWidth;
      this.changeWindow(dx / side, event.pointerType === "touch" ? 0 : -dy / side);
    }
    this.pointers.set(event.pointerId, event);
  }

  key(event) {
    if (!this.image) return;
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.key in steps) {
      const [x, y] = steps[event.key];
      if (event.shiftKey) this.moveTo(this.x - 30 * x, this.y - 30 * y);
      else this.changeWindow(0.03 * x, -0.03 * y);
    } else if (event.key === "+" || event.key === "=") this.zoomBy(1.25);
    else if (event.key === "-") this.zoomBy(0.8);
    else if (event.key === "0") this.reset();
    else return;
    event.preventDefault();
  }
}
