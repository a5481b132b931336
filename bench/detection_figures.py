"""How good found faces are against hand-made boxes: average precision, and recall by the size of a face. Pure; it knows no file and no program.

Average precision is that of PASCAL VOC 2010 and later (area under the whole precision/recall curve, made monotonic). Detections of all pictures are
ranked together; each takes the free face it overlaps best, if intersection over union is at least `min_iou`. What takes no face but lies on an
`ignore` box (a real face nobody annotated) is neither right nor wrong. Boxes are [x, y, width, height]; ground truth is {picture: {faces, ignore}}."""
import json
import os


def intersection(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    return max(0.0, width) * max(0.0, height)


def area(box):
    return box[2] * box[3]


def intersection_over_union(a, b):
    common = intersection(a, b)
    union = area(a) + area(b) - common
    return common / union if union > 0 else 0.0


def lies_on(box, regions):
    """Whether at least half of the box is inside one of the regions."""
    return any(intersection(box, region) >= 0.5 * area(box) for region in regions)


def read_detections(lines):
    """({picture: (width, height)}, [(picture, confidence, box)]) of the lines of `edgecam detect`. ValueError names the line that is none."""
    pictures, detections = {}, []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answer = json.loads(line)
            picture = os.path.basename(answer['image'])
            faces = [(picture, float(face['confidence']), [float(v) for v in face['box']]) for face in answer['faces']]
            size = (int(answer['width']), int(answer['height']))
        except (ValueError, KeyError, TypeError) as trouble:
            raise ValueError(f'line {number} is not an answer of `edgecam detect`: {trouble!r}') from trouble
        pictures[picture] = size
        detections += faces
    return pictures, detections


def match(detections, truth, min_iou):
    """What each detection takes, most confident first: (picture, confidence, face or None). Detections on ignored regions are left out."""
    free = {picture: list(entry['faces']) for picture, entry in truth.items()}
    taken = []
    for picture, confidence, box in sorted(detections, key=lambda detection: -detection[1]):
        best = max(free[picture], key=lambda face: intersection_over_union(box, face), default=None)
        if best is not None and intersection_over_union(box, best) >= min_iou:
            free[picture].remove(best)
            taken.append((picture, confidence, best))
        elif not lies_on(box, truth[picture].get('ignore', [])):
            taken.append((picture, confidence, None))
    return taken


def judge(detections, truth, min_iou):
    """The verdicts, most confident first: (confidence, right?)."""
    return [(confidence, face is not None) for _, confidence, face in match(detections, truth, min_iou)]


def precision_recall(verdicts, faces):
    """One (recall, precision) for each verdict, in rank order."""
    curve, right = [], 0
    for rank, (_, correct) in enumerate(verdicts, 1):
        right += correct
        curve.append((right / faces, right / rank))
    return curve


def average_precision(curve):
    total, best, last_recall = 0.0, 0.0, None
    for recall, precision in reversed(curve):  # from the right, so the best so far is the envelope
        if last_recall is not None:
            total += (last_recall - recall) * best
        best = max(best, precision)
        last_recall = recall
    return total + (last_recall or 0.0) * best


def fitted_scale(picture, analysed):
    """Pixels of the analysed picture for one of the stored one: it is fitted in, its aspect kept, enlarged where it is smaller."""
    return min(analysed[0] / picture[0], analysed[1] / picture[1])


def recall_by_width(taken, truth, scales, edges):
    """[(from, to, faces, found)] for widths in pixels of the analysed picture; the first from 0, the last without end (None). `scales`:
    fitted_scale() of each picture; `taken`: what match() says of the detections that count."""
    bins = [[low, high, 0, 0] for low, high in zip([0, *edges], [*edges, None])]
    bin_of = lambda picture, face: bins[sum(face[2] * scales[picture] >= edge for edge in edges)]
    for picture, entry in truth.items():
        for face in entry['faces']:
            bin_of(picture, face)[2] += 1
    for picture, _, face in taken:
        if face is not None:
            bin_of(picture, face)[3] += 1
    return [tuple(each) for each in bins]
