"""What the benchmarks share: time and memory of a process, a core of its own, pairs and what they say, results as a table and JSON."""
import json
import math
import os
import platform
import resource
import statistics
import sys


def family(pid):
    """The process and its children."""
    with open(f'/proc/{pid}/task/{pid}/children') as children:
        return [pid, *map(int, children.read().split())]


def _threads(pid, name=None):
    for thread in os.listdir(f'/proc/{pid}/task'):
        folder = f'/proc/{pid}/task/{thread}'
        with open(folder + '/comm') as comm:
            if name is None or comm.read().strip() == name:
                yield folder


def cpu_seconds(pids, thread=None):
    """Time on a CPU of all threads that live, or of those of a name, to the nanosecond (a clock tick is 10 ms: too coarse here)."""
    total = 0
    for pid in pids:
        for folder in _threads(pid, thread):
            with open(folder + '/schedstat') as stat:
                total += int(stat.read().split()[0])
    return total / 1e9


def resident_mb(pids):
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/status') as status:
            total += next(int(line.split()[1]) for line in status if line.startswith('VmRSS'))
    return total / 1024


def proportional_mb(pids):
    """What the processes share counts once."""
    total = 0
    for pid in pids:
        with open(f'/proc/{pid}/smaps_rollup') as rollup:
            total += next(int(line.split()[1]) for line in rollup if line.startswith('Pss:'))
    return total / 1024


def on_core(number):
    """For subprocess.Popen's `preexec_fn`: pins the child and all of its own."""
    return lambda: os.sched_setaffinity(0, {number})


def raise_descriptor_limit(wanted):
    """For this process and its children; says so when there are not so many to be had."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = hard if hard == resource.RLIM_INFINITY or hard < wanted else wanted
    resource.setrlimit(resource.RLIMIT_NOFILE, (enough, hard))
    if enough != resource.RLIM_INFINITY and enough < wanted:
        sys.exit(f'{wanted} descriptors are needed, and {hard} can be had (ulimit -Hn)')


def median_and_interval(values, wanted=0.95):
    """(median, lowest, highest, coverage): an interval that has the true median in it with that probability whatever the
    distribution, `wanted` at least where there are values enough (95 %: six, 75 %: three), else from the least to the greatest."""
    ordered, n = sorted(values), len(values)
    coverage = lambda left: 1 - 2 * sum(math.comb(n, k) for k in range(left + 1)) / 2 ** n
    left = 0
    while left + 1 < n / 2 and coverage(left + 1) >= wanted:
        left += 1
    return statistics.median(ordered), ordered[left], ordered[n - 1 - left], max(0.0, coverage(left))


def interval(values, digits=2, wanted=0.95):
    """The same for JSON."""
    median, low, high, coverage = median_and_interval(values, wanted)
    return {'median': round(median, digits), 'from': round(low, digits), 'to': round(high, digits),
            'coverage': round(coverage, 3), 'values': [round(value, digits) for value in values]}


def table(rows):
    """Prints rows of equal length, the first being the heads."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in texts) for column in range(len(texts[0]))]
    for row in texts:
        print('  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())


def machine():
    """What figures of this run can be compared with."""
    with open('/proc/cpuinfo') as info:
        model = next((line.split(':', 1)[1].strip() for line in info if line.startswith('model name')), platform.machine())
    return {'cpu': model, 'cores': os.cpu_count(), 'kernel': platform.release(), 'load': [round(load, 2) for load in os.getloadavg()]}


def report(name, result, path):
    """A line of JSON at the end of what is printed, and into the file, where one is wanted."""
    whole = {'bench': name, **result, 'machine': machine()}
    print(json.dumps(whole))
    if path:
        with open(path, 'w') as file:
            json.dump(whole, file, indent=1)
