"""The judge is judged: figures that can be worked out by hand."""

import json
import os
import subprocess
import sys
import tempfile
import unittest

import evaluate_ap
import detection_figures

FACE = [10, 10, 20, 20]
OTHER = [100, 100, 20, 20]


def ap(detections, truth):
    faces = sum(len(entry["faces"]) for entry in truth.values())
    return detection_figures.average_precision(
        detection_figures.precision_recall(detection_figures.judge(detections, truth, 0.5), faces))


class AveragePrecision(unittest.TestCase):
    truth = {"a": {"faces": [FACE, OTHER], "ignore": [[200, 200, 30, 30]]}, "b": {"faces": []}}

    def test_all_found_and_nothing_else_is_one(self):
        self.assertEqual(ap([("a", 0.9, FACE), ("a", 0.8, OTHER)], self.truth), 1.0)

    def test_nothing_found_is_zero(self):
        self.assertEqual(ap([], self.truth), 0.0)

    def test_one_of_two_faces_is_a_half(self):
        self.assertEqual(ap([("a", 0.9, FACE)], self.truth), 0.5)

    def test_a_wrong_one_costs_what_ranks_below_it(self):
        wrong_first = [("b", 0.95, FACE), ("a", 0.9, FACE), ("a", 0.8, OTHER)]
        self.assertAlmostEqual(ap(wrong_first, self.truth), 2 / 3)
        wrong_last = [("b", 0.1, FACE), ("a", 0.9, FACE), ("a", 0.8, OTHER)]
        self.assertEqual(ap(wrong_last, self.truth), 1.0)

    def test_a_face_counts_once(self):
        self.assertEqual(detection_figures.judge([("a", 0.9, FACE), ("a", 0.8, FACE)], self.truth, 0.5),
                         [(0.9, True), (0.8, False)])

    def test_on_an_ignored_face_there_is_no_verdict(self):
        self.assertEqual(detection_figures.judge([("a", 0.9, [205, 205, 20, 20])], self.truth, 0.5), [])


class RecallByWidth(unittest.TestCase):
    def test_a_face_counts_by_its_width_in_the_analysed_picture(self):
        truth = {"a": {"faces": [FACE, OTHER]}, "b": {"faces": [[0, 0, 31, 40], [50, 0, 32, 40]]}}
        taken = detection_figures.match([("a", 0.9, FACE), ("b", 0.8, [50, 0, 32, 40]), ("b", 0.7, [200, 200, 20, 20])], truth, 0.5)
        self.assertEqual(detection_figures.recall_by_width(taken, truth, {"a": 0.25, "b": 0.5}, (8, 16)),
                         [(0, 8, 2, 1), (8, 16, 1, 0), (16, None, 1, 1)])

    def test_a_picture_is_fitted_in_whole(self):
        for picture, scale in (((640, 360), 1), ((1280, 720), 0.5), ((320, 180), 2), ((640, 480), 0.75), ((1280, 360), 0.5)):
            self.assertEqual(detection_figures.fitted_scale(picture, (640, 360)), scale, picture)


class CommandLine(unittest.TestCase):
    def run_on(self, lines, *options):
        with tempfile.TemporaryDirectory() as folder:
            truth = os.path.join(folder, "ground_truth.json")
            with open(truth, "w", encoding="utf-8") as file:
                json.dump([{"image": "a.jpg", "faces": [FACE, OTHER], "ignore": []}], file)
            return subprocess.run([sys.executable, "-B", evaluate_ap.__file__, truth, *options],
                                  input="\n".join(lines), capture_output=True, text=True, check=False)

    @staticmethod
    def answer(image):
        return json.dumps({"image": image, "width": 640, "height": 360,
                           "faces": [{"box": FACE, "confidence": 0.9, "landmarks": []}]})

    def test_it_fails_below_the_wanted_figure_only(self):
        self.assertEqual(self.run_on([self.answer("some/folder/a.jpg")], "--min-ap", "0.5").returncode, 0)
        self.assertEqual(self.run_on([self.answer("a.jpg")], "--min-ap", "0.6").returncode, 1)

    def test_a_picture_left_out_is_not_a_good_result(self):
        self.assertEqual(self.run_on([]).returncode, 2)

    def test_what_is_no_answer_is_named(self):
        broken = self.run_on(["oops"])
        self.assertNotEqual(broken.returncode, 0)
        self.assertIn("line 1", broken.stderr)


if __name__ == "__main__":
    unittest.main()
