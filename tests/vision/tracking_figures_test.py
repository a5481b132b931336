"""The judge of tracks is judged: small cases that can be worked out by hand, and exact assignment against all that there are."""

import itertools
import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../bench"))

import tracking_figures

A, B, C = [0, 0, 10, 10], [100, 0, 10, 10], [200, 0, 10, 10]
HALF_OFF = [0, 5, 10, 10]  # a third of the union with A is common: too little


def total(weights, pairs):
    return sum(weights[row][column] for row, column in pairs)


def best_total(weights):
    """By looking at every assignment."""
    if len(weights) > len(weights[0]):
        weights = [list(column) for column in zip(*weights)]
    return max(sum(row[column] for row, column in zip(weights, columns))
               for columns in itertools.permutations(range(len(weights[0])), len(weights)))


class Assignment(unittest.TestCase):
    def test_cases_by_hand(self):
        for weights, pairs in (
                ([], []),
                ([[]], []),
                ([[0]], []),
                ([[3]], [(0, 0)]),
                ([[5, 4], [4, 0]], [(0, 1), (1, 0)]),  # the greatest weight is not in the best sum
                ([[1, 2, 3]], [(0, 2)]),
                ([[1], [2], [3]], [(2, 0)]),
                ([[2, 0], [2, 0]], [(0, 0)]),  # nobody is given what is worth nothing
        ):
            got = tracking_figures.best_assignment(weights)
            if pairs == [(0, 0)] and len(weights) == 2:
                self.assertEqual(len(got), 1)
            else:
                self.assertEqual(got, pairs, weights)

    def test_it_is_the_best_there_is(self):
        dice = random.Random(1)
        for _ in range(400):
            rows, columns = dice.randint(1, 5), dice.randint(1, 5)
            weights = [[dice.choice((0, 0, dice.randint(1, 20), dice.random())) for _ in range(columns)] for _ in range(rows)]
            pairs = tracking_figures.best_assignment(weights)
            self.assertAlmostEqual(total(weights, pairs), best_total(weights), msg=weights)
            self.assertEqual(len({row for row, _ in pairs}), len(pairs))
            self.assertEqual(len({column for _, column in pairs}), len(pairs))


class Clear(unittest.TestCase):
    def check(self, frames, truth, matches, misses, false, switches, mota):
        counts, told = tracking_figures.clear_mot(frames)
        self.assertEqual(counts, {"truth": truth, "matches": matches, "misses": misses, "false": false, "switches": switches})
        self.assertEqual(len(told), switches)
        self.assertEqual(tracking_figures.mota(counts), mota)

    def test_all_right_is_one(self):
        self.check([({1: A, 2: B}, {7: A, 8: B})] * 3, 6, 6, 0, 0, 0, 1)

    def test_nothing_seen_is_zero(self):
        self.check([({1: A}, {})] * 4, 4, 0, 4, 0, 0, 0)

    def test_no_truth_has_no_figure(self):
        self.check([({}, {7: A})], 0, 0, 0, 1, 0, None)

    def test_wrong_ones_can_make_it_less_than_zero(self):
        self.check([({1: A}, {7: B, 8: C})], 1, 0, 1, 2, 0, -2)

    def test_too_little_overlap_is_a_miss_and_a_wrong_one(self):
        self.check([({1: A}, {7: HALF_OFF})], 1, 0, 1, 1, 0, -1)

    def test_another_track_is_one_switch_not_one_for_each_frame(self):
        self.check([({1: A}, {7: A})] * 2 + [({1: A}, {8: A})] * 2, 4, 4, 0, 0, 1, 0.75)

    def test_two_who_swap_are_two_switches(self):
        self.check([({1: A, 2: B}, {7: A, 8: B}), ({1: A, 2: B}, {8: A, 7: B})], 4, 4, 0, 0, 2, 0.5)

    def test_a_gap_forgets_no_one(self):
        gone, back = ({1: A}, {}), ({1: A}, {7: A})
        self.check([back, gone, back], 3, 2, 1, 0, 0, 1 - 1 / 3)
        self.check([back, gone, ({1: A}, {8: A})], 3, 2, 1, 0, 1, 1 - 2 / 3)

    def test_who_was_out_of_the_picture_is_still_who_they_were(self):
        self.check([({1: A}, {7: A}), ({}, {}), ({1: A}, {8: A})], 2, 2, 0, 0, 1, 0.5)

    def test_a_match_that_still_holds_is_kept_though_another_is_nearer(self):
        near = [0, 2, 10, 10]  # 2/3 of A
        self.check([({1: A}, {7: A}), ({1: A}, {7: near, 8: A})], 2, 2, 0, 1, 0, 0.5)

    def test_as_many_as_possible_are_matched_first(self):
        # 7 overlaps both, 8 only 1: the best overlap alone (1 with 7) would leave 2 without any.
        one, two = [0, 0, 10, 10], [0, 3, 10, 10]
        seven, eight = [0, 1, 10, 10], [0, -3, 10, 10]
        self.check([({1: one, 2: two}, {7: seven, 8: eight})], 2, 2, 0, 0, 0, 1)


class Identities(unittest.TestCase):
    def check(self, frames, truth, seen, idtp, idf1):
        counts = tracking_figures.identities(frames)
        self.assertEqual(counts, {"truth": truth, "seen": seen, "idtp": idtp})
        self.assertEqual(tracking_figures.idf1(counts), idf1)

    def test_all_right_is_one(self):
        self.check([({1: A, 2: B}, {7: A, 8: B})] * 3, 6, 6, 6, 1)

    def test_nothing_seen_is_zero(self):
        self.check([({1: A}, {})], 1, 0, 0, 0)

    def test_nothing_at_all_has_no_figure(self):
        self.check([({}, {})], 0, 0, 0, None)

    def test_of_two_tracks_of_a_person_the_longer_counts(self):
        self.check([({1: A}, {7: A})] * 3 + [({1: A}, {8: A})], 4, 4, 3, 0.75)

    def test_a_track_counts_for_one_person_only(self):
        self.check([({1: A, 2: B}, {7: A}), ({1: A, 2: B}, {7: B})], 4, 2, 1, 2 / 6)

    def test_the_pairing_is_the_best_over_all(self):
        # 7 is on 1 for 3 frames and on 2 for 2; 8 is on 1 for 2: 7 on 2 and 8 on 1 are 4, 7 on 1 alone 3.
        frames = [({1: A, 2: B}, {7: A})] * 3 + [({1: A, 2: B}, {7: B, 8: A})] * 2
        self.check(frames, 10, 7, 4, 8 / 17)


class Told(unittest.TestCase):
    truth = {0: {}, 1: {1: A}, 2: {1: A, 2: B}, 3: {2: B}}

    @staticmethod
    def event(phase, frame, box):
        return {"phase": phase, "frame": frame, "box": box}

    def test_an_event_is_of_whom_its_box_shows_in_its_frame(self):
        told = tracking_figures.people_of_events(
            [self.event("enter", 2, A), self.event("leave", 2, A), self.event("enter", 3, A), self.event("enter", 2, HALF_OFF)], self.truth)
        self.assertEqual(told, {1: {"enter": [2], "leave": [2]}, 2: {}, None: {"enter": [3, 2]}})

    def test_an_event_in_a_frame_without_truth_is_of_nobody(self):
        self.assertEqual(tracking_figures.people_of_events([self.event("enter", 9, A)], self.truth)[None], {"enter": [9]})

    def test_the_delay_counts_from_the_first_frame_to_the_first_enter(self):
        told = tracking_figures.people_of_events([self.event("enter", 2, A)], self.truth)
        self.assertEqual(tracking_figures.frames_until_enter(told, self.truth), {1: 1, 2: None})


if __name__ == "__main__":
    unittest.main()
