#!/usr/bin/env python3
"""Average precision of `edgecam detect` against hand-made boxes.

Reads the JSON lines that `edgecam detect` prints, one a picture, and the ground truth of ../shared/media/faces:
  edgecam detect --min-confidence 0.05 FACES/*.jpg | evaluate_ap.py FACES/ground_truth.json --min-ap 0.95
Ends with 1 when the average precision is below --min-ap, with 2 when the input can't be used.

What the figure means is told in bench/detection_figures.py.
"""

import argparse
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench"))

from detection_figures import average_precision, judge, precision_recall, read_detections


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
    try:
        pictures, detections = read_detections(options.detections)
    except ValueError as trouble:
        print(trouble, file=sys.stderr)
        return 2
    missing = sorted(truth.keys() - pictures.keys())
    strangers = sorted(pictures.keys() - truth.keys())
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
