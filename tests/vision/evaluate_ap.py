#!/usr/bin/env python3
"""Average precision of `edgecam detect` against hand-made boxes.

Reads the JSON lines that `edgecam detect` prints, one a picture, and the ground truth of ../shared/media/faces:
  edgecam detect --min-confidence 0.05 FACES/*.jpg | evaluate_ap.py FACES/ground_truth.json --min-ap 0.95
Ends with 1 when the average precision is below --min-ap, with 2 when the input can't be used.

Definition: PASCAL VOC 2010 and later (area under the whole precision/recall curve, made monotonic). Detections of
all pictures are ranked together; each takes the free face it overlaps best, if intersection over union is at least
--min-iou. What takes no face but lies on an `ignore` box (a real face nobody annotated) is neither right nor wrong.
"""

import argparse
import json
import os
import sys


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
    """Yields (picture, confidence, box) of every face, and collects the pictures that were looked at."""
    pictures, detections = set(), []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            answer = json.loads(line)
            picture = os.path.basename(answer["image"])
            faces = [(picture, float(face["confidence"]), [float(v) for v in face["box"]])
                     for face in answer["faces"]]
        except (ValueError, KeyError, TypeError) as trouble:
            sys.exit(f"line {number} is not an answer of `edgecam detect`: {trouble!r}")
        pictures.add(picture)
        detections += faces
    return pictures, detections


def judge(detections, truth, min_iou):
    """The verdicts, most confident first: (confidence, right?). Detections on ignored regions have none."""
    free = {picture: list(entry["faces"]) for picture, entry in truth.items()}
    verdicts = []
    for picture, confidence, box in sorted(detections, key=lambda d: -d[1]):
        best = max(free[picture], key=lambda face: intersection_over_union(box, face), default=None)
        if best is not None and intersection_over_union(box, best) >= min_iou:
            free[picture].remove(best)
            verdicts.append((confidence, True))
        elif not lies_on(box, truth[picture].get("ignore", [])):
            verdicts.append((confidence, False))
    return verdicts


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


def report(verdicts, faces, pictures):
    ap = average_precision(precision_recall(verdicts, faces))
    print(f"{pictures} pictures, {faces} faces, {len(verdicts)} detections judged")
    for threshold in (0.3, 0.5, 0.6, 0.7, 0.9):
        judged = [correct for confidence, correct in verdicts if confidence >= threshold]
        right = sum(judged)
        print(f"  confidence >= {threshold:.1f}: recall {right / faces:.3f}, wrong {len(judged) - right}")
    print(f"average precision {ap:.4f}")
    return ap


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ground_truth", help="ground_truth.json")
    parser.add_argument("detections", nargs="?", type=argparse.FileType("r"), default=sys.stdin,
                        help="JSON lines; standard input if left out")
    parser.add_argument("--min-ap", type=float, default=0.0)
    parser.add_argument("--min-iou", type=float, default=0.5)
    options = parser.parse_args()

    with open(options.ground_truth, encoding="utf-8") as file:
        truth = {entry["image"]: entry for entry in json.load(file)}
    pictures, detections = read_detections(options.detections)
    missing = sorted(truth.keys() - pictures)
    strangers = sorted(pictures - truth.keys())
    if missing or strangers:
        # Leaving out the hard ones must not raise the figure.
        print(f"not looked at: {missing}; without ground truth: {strangers}", file=sys.stderr)
        return 2
    faces = sum(len(entry["faces"]) for entry in truth.values())
    ap = report(judge(detections, truth, options.min_iou), faces, len(pictures))
    if ap < options.min_ap:
        print(f"below the wanted {options.min_ap}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
