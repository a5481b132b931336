// Boxes over faces. Draws on a canvas that lies on the picture and is fitted like it, so that fractions of the picture
// are fractions of the canvas at any size, letterboxed or full screen.

const kColour = '#5eead4';
const kShade = 'rgba(4, 12, 16, 0.55)';
const kFewestPixels = 320;

export class Overlay {
    canvas = document.createElement('canvas');
    /** Boxes drawn so far. */
    drawn = 0;
    /** What is on the screen now: {sequence, exact, faces: [{track_id, box, confidence}]}. */
    current = { sequence: -1, exact: false, faces: [] };
    #context = this.canvas.getContext('2d');

    constructor() {
        this.canvas.className = 'overlay';
        this.canvas.setAttribute('aria-hidden', 'true');
    }

    /**
     * @param {{sequence: number, width: number, height: number}} picture the one on the screen, size in pixels
     * @param {{exact: boolean, faces: Array<{track_id: number, box: number[], confidence: number}>}} found boxes as
     *   [x, y, width, height] in fractions of the picture
     */
    draw(picture, found) {
        const wasEmpty = this.current.faces.length === 0;
        this.current = { sequence: picture.sequence, ...found };
        if (wasEmpty && found.faces.length === 0) return;
        this.#fit(picture);
        const { width, height } = this.canvas;
        this.#context.clearRect(0, 0, width, height);
        const unit = Math.max(1, width / 640) * Math.min(2, devicePixelRatio);
        for (const face of found.faces) {
            const [x, y, w, h] = face.box;
            this.#brackets(x * width, y * height, w * width, h * height, unit);
            this.#label(`${face.track_id}`, x * width, y * height, unit);
            this.drawn += 1;
        }
    }

    clear() {
        this.current = { sequence: -1, exact: false, faces: [] };
        this.#context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    }

    /** As many pixels as the screen gives, in the picture's shape. */
    #fit(picture) {
        const shown = Math.round(this.canvas.clientWidth * Math.min(2, devicePixelRatio));
        const width = Math.max(kFewestPixels, shown);
        const height = Math.round(width * picture.height / picture.width) || 180;
        if (this.canvas.width === width && this.canvas.height === height) return;
        this.canvas.width = width;
        this.canvas.height = height;
    }

    /** Corners say where the face is without covering it. */
    #brackets(x, y, w, h, unit) {
        const context = this.#context;
        const arm = Math.min(w, h) * 0.24, turn = Math.min(w, h) * 0.1;
        context.beginPath();
        for (const [cx, cy, dx, dy] of [[x, y, 1, 1], [x + w, y, -1, 1], [x + w, y + h, -1, -1], [x, y + h, 1, -1]]) {
            context.moveTo(cx + dx * arm, cy);
            context.arcTo(cx, cy, cx, cy + dy * arm, turn);
            context.lineTo(cx, cy + dy * arm);
        }
        context.lineCap = 'round';
        for (const [style, wide] of [[kShade, 2.6], [kColour, 1.3]]) {
            context.strokeStyle = style;
            context.lineWidth = wide * unit;
            context.stroke();
        }
    }

    #label(text, x, y, unit) {
        const context = this.#context, size = 8 * unit;
        context.font = `600 ${size}px system-ui, sans-serif`;
        const wide = context.measureText(text).width + size;
        const top = y > size * 2 ? y - size * 1.9 : y + size * 0.5;
        context.fillStyle = kShade;
        context.beginPath();
        context.roundRect(x, top, wide, size * 1.5, size * 0.5);
        context.fill();
        context.fillStyle = kColour;
        context.textBaseline = 'middle';
        context.fillText(text, x + size / 2, top + size * 0.8);
    }
}
