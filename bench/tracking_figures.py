"""How good followed faces are against true tracks, and what is told of each person. Pure; it knows no file and no program.

CLEAR MOT (MOTA, identity switches): K. Bernardin, R. Stiefelhagen, "Evaluating Multiple Object Tracking Performance: The CLEAR MOT Metrics",
EURASIP Journal on Image and Video Processing, 2008. IDF1: E. Ristani et al., "Performance Measures and a Data Set for Multi-Target, Multi-Camera
Tracking", ECCV workshops, 2016.

A frame is (truth, seen), each {id: [x, y, width, height]}, in one unit; a box counts as a person's from an intersection over union of `min_iou` on.
Figures are sums (Counter), so that those of several clips can be added before mota() and idf1()."""
from collections import Counter, defaultdict

from detection_figures import intersection_over_union


def best_assignment(weights):
    """The pairs (row, column) with the greatest sum of weights, a row and a column once each; weights of 0 stand for "not this pair". Exact:
    the Hungarian method (Kuhn 1955, Munkres 1957) with potentials, shortest augmenting paths, O(rows² columns)."""
    rows, columns = len(weights), len(weights[0]) if weights else 0
    if rows > columns:
        return sorted((row, column) for column, row in best_assignment([list(column) for column in zip(*weights)]))
    row_price, column_price, owner = [0] * (rows + 1), [0] * (columns + 1), [0] * (columns + 1)  # 1-based; 0: nobody
    for row in range(1, rows + 1):
        owner[0], column = row, 0
        slack, came_from, done = [float('inf')] * (columns + 1), [0] * (columns + 1), [False] * (columns + 1)
        while owner[column]:
            done[column] = True
            here = owner[column]
            for other in range(1, columns + 1):
                if not done[other]:
                    cost = -weights[here - 1][other - 1] - row_price[here] - column_price[other]
                    if cost < slack[other]:
                        slack[other], came_from[other] = cost, column
            nearest = min((other for other in range(1, columns + 1) if not done[other]), key=lambda other: slack[other])
            step = slack[nearest]
            for other in range(columns + 1):
                if done[other]:
                    row_price[owner[other]] += step
                    column_price[other] -= step
                else:
                    slack[other] -= step
            column = nearest
        while column:  # the path back, each taking over from the one before
            owner[column] = owner[came_from[column]]
            column = came_from[column]
    return sorted((owner[column] - 1, column - 1) for column in range(1, columns + 1)
                  if owner[column] and weights[owner[column] - 1][column - 1] > 0)


def _matched(truth, seen, last, min_iou):
    """{person: track} of one frame: who was matched before stays so while the boxes still overlap enough; of the rest as many as possible, then
    those that overlap best."""
    pairs = {}
    for person, track in last.items():
        if person in truth and track in seen and track not in pairs.values() and intersection_over_union(truth[person], seen[track]) >= min_iou:
            pairs[person] = track
    people = [person for person in truth if person not in pairs]
    tracks = [track for track in seen if track not in pairs.values()]
    if people and tracks:
        many = min(len(people), len(tracks)) + 1  # one match more outweighs any overlaps
        overlap = lambda person, track: intersection_over_union(truth[person], seen[track])
        weights = [[many + overlap(person, track) if overlap(person, track) >= min_iou else 0 for track in tracks] for person in people]
        pairs.update((people[row], tracks[column]) for row, column in best_assignment(weights))
    return pairs


def clear_mot(frames, min_iou=0.5):
    """(Counter of truth, matches, misses, false, switches; [(index of the frame, person, track before, track now)]). A switch is a person's match
    with another track than its last one, however long ago that was."""
    counts, switches, last = Counter(truth=0, matches=0, misses=0, false=0, switches=0), [], {}
    for index, (truth, seen) in enumerate(frames):
        pairs = _matched(truth, seen, last, min_iou)
        switches += [(index, person, last[person], track) for person, track in pairs.items() if last.get(person, track) != track]
        last.update(pairs)
        counts.update(truth=len(truth), matches=len(pairs), misses=len(truth) - len(pairs), false=len(seen) - len(pairs))
    counts['switches'] = len(switches)
    return counts, switches


def mota(counts):
    """1 - (misses + false positives + switches) / true boxes: 1 at best, without a lower end; None without true boxes."""
    return 1 - (counts['misses'] + counts['false'] + counts['switches']) / counts['truth'] if counts['truth'] else None


def identities(frames, min_iou=0.5):
    """Counter of truth, seen and idtp: the boxes that are right when each person has one track and each track one person over the whole clip, the
    pairing being the one that makes most of them right (so fewest false negatives and false positives, as defined)."""
    together, counts = defaultdict(int), Counter(truth=0, seen=0, idtp=0)
    for truth, seen in frames:
        counts.update(truth=len(truth), seen=len(seen))
        for person, box in truth.items():
            for track, other in seen.items():
                together[person, track] += intersection_over_union(box, other) >= min_iou
    people, tracks = (sorted({pair[side] for pair in together}) for side in (0, 1))
    weights = [[together[person, track] for track in tracks] for person in people]
    counts['idtp'] = sum(weights[row][column] for row, column in best_assignment(weights))
    return counts


def idf1(counts):
    """2 IDTP / (true boxes + seen boxes), 0 to 1; None without any box."""
    boxes = counts['truth'] + counts['seen']
    return 2 * counts['idtp'] / boxes if boxes else None


def people_of_events(events, truth, min_iou=0.5):
    """{person or None: {phase: [frames]}}: of whom the events tell, by the box and the frame that each names; None: on no face. `events`: dicts with
    phase, frame, box; `truth`: {frame: {person: box}}. Everybody in `truth` is there, also without an event."""
    told = {person: defaultdict(list) for boxes in truth.values() for person in boxes}
    for event in events:
        boxes = truth.get(event['frame'], {})
        best = max(boxes, key=lambda person: intersection_over_union(boxes[person], event['box']), default=None)
        if best is not None and intersection_over_union(boxes[best], event['box']) < min_iou:
            best = None
        told.setdefault(best, defaultdict(list))[event['phase']].append(event['frame'])
    return told


def frames_until_enter(told, truth):
    """{person: frames from the first one that shows it to the one its first `enter` names}; None where nobody told of it."""
    first = {}
    for frame in sorted(truth):
        for person in truth[frame]:
            first.setdefault(person, frame)
    return {person: min(told[person]['enter']) - frame if told[person]['enter'] else None for person, frame in first.items()}
