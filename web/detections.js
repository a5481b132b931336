// Faces over time: which boxes belong on the picture that is on the screen now. Pure.
//
// Analysis looks at some of the pictures (ten a second, say) and its answer may come after the picture was shown.
// A picture that was analysed gets exactly its own boxes; one between two analysed pictures gets boxes between
// theirs; one that is newer than the last analysis gets each face moved on at its own speed.

/** How far a face is moved on without being seen again, µs. Beyond it nothing is drawn: a lie is worse than a gap. */
const kForesightUs = 300_000;
/** The longest way between two analysed pictures that is still bridged, µs. */
const kBridgeUs = 1_000_000;
/** Two analysed pictures nearer than this say little about speed, µs. */
const kShortestWayUs = 30_000;
const kKept = 90;

const mix = (a, b, share) => a.map((value, index) => value + (b[index] - value) * share);

export class DetectionTimeline {
    /** Ordered by capture time. */
    #entries = [];

    /**
     * @param {{frame: {sequence: number, capture_us: number}, faces: Array<{track_id: number, box: number[],
     *   confidence: number}>}} detections box: [x, y, width, height] as fractions of the picture
     */
    add(detections) {
        const entry = {
            sequence: detections.frame.sequence,
            captureUs: detections.frame.capture_us,
            faces: new Map(detections.faces.map((face) => [face.track_id, face])),
        };
        if (entry.captureUs < (this.#entries.at(-1)?.captureUs ?? -Infinity) - 10e6) this.#entries = [];
        let at = this.#entries.length;
        while (at > 0 && this.#entries[at - 1].captureUs > entry.captureUs) at -= 1;
        this.#entries.splice(at, 0, entry);
        if (this.#entries.length > kKept) this.#entries.shift();
    }

    clear() { this.#entries = []; }

    /**
     * @param {{sequence: number, captureUs: number}} picture
     * @returns {{exact: boolean, faces: Array<{track_id: number, box: number[], confidence: number}>}}
     *   `exact`: this very picture was analysed
     */
    at(picture) {
        const own = this.#entries.findLast((entry) => entry.sequence === picture.sequence &&
            Math.abs(entry.captureUs - picture.captureUs) < kBridgeUs);
        if (own) return { exact: true, faces: [...own.faces.values()] };
        const before = this.#entries.findLastIndex((entry) => entry.captureUs <= picture.captureUs);
        if (before < 0) return { exact: false, faces: [] };
        const next = this.#entries[before + 1];
        return { exact: false, faces: next ? this.#between(before, picture) : this.#beyond(before, picture) };
    }

    #between(index, picture) {
        const a = this.#entries[index], b = this.#entries[index + 1];
        const wayUs = b.captureUs - a.captureUs;
        if (wayUs > kBridgeUs) return this.#beyond(index, picture);
        const share = (picture.captureUs - a.captureUs) / wayUs;
        return [...a.faces.values()].filter((face) => b.faces.has(face.track_id))
            .map((face) => ({ ...face, box: mix(face.box, b.faces.get(face.track_id).box, share) }));
    }

    #beyond(index, picture) {
        const last = this.#entries[index], earlier = this.#entries[index - 1];
        const aheadUs = picture.captureUs - last.captureUs;
        if (aheadUs > kForesightUs) return [];
        const wayUs = earlier ? last.captureUs - earlier.captureUs : 0;
        return [...last.faces.values()].map((face) => {
            const past = wayUs > 0 && wayUs <= kBridgeUs ? earlier.faces.get(face.track_id) : undefined;
            if (!past) return face;
            // The place moves on; the size stays: a few pixels of noise in it would soon be more than the face.
            const [x, y] = mix(past.box, face.box, 1 + aheadUs / Math.max(wayUs, kShortestWayUs));
            return { ...face, box: [x, y, face.box[2], face.box[3]] };
        });
    }
}
