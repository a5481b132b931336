"""An emulated uplink: two network namespaces joined by a veth pair, a token bucket (TBF) on the agent's side.

    with EmulatedLink(rate('1500kbit')) as link:
        hub = link.hub(['python3', 'hub.py'])       # at 10.9.0.2
        agent = link.agent(['edgecam', 'run'])      # at 10.9.0.1
        link.set_rate(rate('500kbit')); link.down(); link.up()
        link.play(Trace('file.up'))                 # in a thread, until stop_playing() or the trace's end
        print(link.counters())

Only the way from the agent to the hub is limited. Every link has namespaces of its own, so several may run at once.
With `rtt_ms` both ways take half of that longer, behind the bucket: netem, or bench/delay_line.py where the kernel has none.
With `jitter_ms` the round trip varies by that (half of it each way), and `loss_percent` of the packets are lost each way: netem only.
Rates are in bits a second, sizes in bytes, times in seconds. All methods of a link may be called from any thread.
Raises Unavailable where a link cannot be made: not root, no namespaces, no iproute2, no TBF in the kernel.
"""
import collections
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

AGENT_ADDRESS = '10.9.0.1'
HUB_ADDRESS = '10.9.0.2'

_PREFIX = 'edgecam-link'
_DEVICE = 'up0'
_PACKET = 1514  # a full frame, as TBF counts it
_MIN_BURST = 1600  # TBF drops what is longer than its burst
_STALLED = 1000  # bit/s that stand for "nothing": a packet in 12 s; a rate of 0 is not to be had
_CLONE_NEWNET = 0x40000000


class Unavailable(Exception):
    """No link can be made here. The text says why, in one line."""


def _number(text, units, what):
    match = re.fullmatch(r'([0-9.]+)([a-z]*)', text.strip().lower())
    if not match or match[2] not in units:
        raise ValueError(f'{what} "{text}": a number and one of {", ".join(unit for unit in units if unit)}')
    return int(float(match[1]) * units[match[2]])


def rate(text):
    """'1.5mbit' -> 1500000; 0 stalls the link."""
    return _number(text, {'': 1, 'bit': 1, 'kbit': 1000, 'mbit': 1000 ** 2, 'gbit': 1000 ** 3}, 'rate')


def size(text):
    """'8kb' -> 8192, as tc reads it."""
    return _number(text, {'': 1, 'b': 1, 'k': 1024, 'kb': 1024, 'm': 1024 ** 2, 'mb': 1024 ** 2}, 'size')


class Trace:
    """A recorded link in Mahimahi's format: a line is the time in ms at which 1500 bytes could be sent.

    `slots` holds the bytes of each whole tenth of a second from `start` on.
    """
    SLOT = 0.1

    def __init__(self, path, start=0.0):
        with open(path) as file:
            times = [int(line) for line in file if line.strip()]
        counts = collections.Counter(ms // 100 for ms in times)
        self.slots = [1500 * counts[slot] for slot in range(int(start * 10), times[-1] // 100 if times else 0)]
        if not self.slots:
            raise ValueError(f'{path}: nothing from {start} s on')

    def mean_rate(self, seconds=None):
        """Over the first `seconds`, or all of it."""
        slots = self.slots[:round(seconds / self.SLOT)] if seconds else self.slots
        return sum(slots) * 8 / (len(slots) * self.SLOT)


class EmulatedLink:
    """The two namespaces; gone, with every process in them, when the `with` block is left."""

    def __init__(self, bits, burst=8192, queue_ms=300, rtt_ms=0, jitter_ms=0, loss_percent=0):
        self._bits, self._burst, self._queue_ms, self._rtt_ms = bits, max(burst, _MIN_BURST), queue_ms, rtt_ms
        self._jitter_ms, self._loss_percent = jitter_ms, loss_percent
        self._place = ['root']
        self._limit = self._limit_at(bits)
        self._spaces = {side: f'{_PREFIX}-{os.getpid()}-{id(self):x}-{side}' for side in ('agent', 'hub')}
        self._lock = threading.RLock()
        self._tc = self._kick_socket = self._player = self._line = None
        self._stop_playing = threading.Event()
        self._kicks_dropped = 0
        self._is_up = True
        self.rate_changes = self.outages = 0

    def __enter__(self):
        if os.geteuid() != 0:
            raise Unavailable('needs root: it makes network namespaces')
        if not shutil.which('ip') or not shutil.which('tc'):
            raise Unavailable('needs iproute2: scripts/setup bench')
        try:
            remove_stale()
            self._make()
        except BaseException as error:
            self._remove()
            if isinstance(error, subprocess.CalledProcessError):
                raise Unavailable(f'"{" ".join(error.cmd)}" fails here: {" ".join(error.stderr.split())}') from error
            raise
        return self

    def __exit__(self, *_):
        self._remove()

    # --- what runs in it ---

    def agent(self, command, **options):
        """Starts a command on the limited side; a Popen in a session of its own. Options are Popen's."""
        return self._start('agent', command, **options)

    def hub(self, command, **options):
        """Starts a command on the far side."""
        return self._start('hub', command, **options)

    def wait_for_listener(self, process, port, timeout=10):
        """Waits until something in the namespace of the process listens on this TCP port; False if nothing does."""
        wanted = f':{port:04X} '
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline and process.poll() is None:
            for table in ('tcp', 'tcp6'):
                with contextlib.suppress(OSError), open(f'/proc/{process.pid}/net/{table}') as lines:
                    # local address, remote address, state: 0A listens
                    if any(wanted in f'{line.split()[1]} ' and line.split()[3] == '0A' for line in lines):
                        return True
            time.sleep(0.02)
        return False

    # --- what is done to it ---

    def set_rate(self, bits):
        """Holds from now on, for what is queued too. 0 stalls: all is kept, nothing leaves. Ends a trace."""
        self.stop_playing()
        with self._lock:
            if bits:
                self._limit = self._limit_at(bits)
            self._change(bits, self._burst)

    def down(self):
        """An outage: what is queued or sent is lost. The far end goes down, so that the agent's addresses and routes stay."""
        with self._lock:
            if self._is_up:
                self._is_up = False
                self.outages += 1
                _ip('-n', self._spaces['hub'], 'link', 'set', _DEVICE, 'down')

    def up(self):
        with self._lock:
            if not self._is_up:
                self._is_up = True
                _ip('-n', self._spaces['hub'], 'link', 'set', _DEVICE, 'up')

    def play(self, trace, loop=False):
        """Follows a trace, from a thread; the returned event is set at its end. The queue is that of its mean rate."""
        self.stop_playing()
        with self._lock:
            self._limit = self._limit_at(trace.mean_rate())
        ended = threading.Event()
        self._stop_playing.clear()
        self._player = threading.Thread(target=self._follow, args=(trace, loop, ended), name='trace', daemon=True)
        self._player.start()
        return ended

    def stop_playing(self):
        """The rate stays what it is then."""
        player, self._player = self._player, None
        if player:
            self._stop_playing.set()
            player.join()

    def counters(self):
        """Of the queue so far: bytes and packets that left it (with 14 bytes of Ethernet), packets dropped, bytes waiting."""
        with self._lock:
            shown = json.loads(_run('tc', '-s', '-j', '-n', self._spaces['agent'], 'qdisc', 'show', 'dev', _DEVICE))
            found = next(qdisc for qdisc in shown if qdisc['kind'] == 'tbf')
            return {'bytes': found['bytes'], 'packets': found['packets'], 'drops': found['drops'] - self._kicks_dropped,
                    'backlog': found['backlog']}

    # --- how ---

    def _make(self):
        agent, hub = self._spaces['agent'], self._spaces['hub']
        for space in (agent, hub):
            _ip('netns', 'add', space)
            _ip('-n', space, 'link', 'set', 'lo', 'up')
        _ip('link', 'add', _DEVICE, 'netns', agent, 'type', 'veth', 'peer', 'name', _DEVICE, 'netns', hub)
        # One packet at a time. A bundle of several (GSO) let in under one burst would stick under a smaller one for good.
        _ip('-n', agent, 'link', 'set', _DEVICE, 'gso_max_segs', '1')
        _ip('-n', agent, 'address', 'add', f'{AGENT_ADDRESS}/24', 'dev', _DEVICE)
        for space in (agent, hub):
            _ip('-n', space, 'link', 'set', _DEVICE, 'up')
        if self._rtt_ms and not self._delay_by_kernel():
            if self._jitter_ms or self._loss_percent:
                raise Unavailable('jitter and loss need netem in the kernel')
            self._delay_by_process()
        else:
            _ip('-n', hub, 'address', 'add', f'{HUB_ADDRESS}/24', 'dev', _DEVICE)
        _run('tc', '-n', agent, *self._qdisc('add', self._bits, self._burst))
        self._kick_socket = _packet_socket(agent)
        # Kept open: a change through it takes 0.2 ms, with a process for each 15 ms. The first error ends it.
        self._tc = subprocess.Popen(['tc', '-n', agent, '-batch', '-'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                    stderr=subprocess.STDOUT, text=True, start_new_session=True)

    def _delay_by_kernel(self):
        netem = ['root', 'handle', '1:', 'netem', 'limit', '10000', 'delay', f'{self._rtt_ms / 2}ms']
        netem += [f'{self._jitter_ms / 2}ms'] if self._jitter_ms else []
        netem += ['loss', f'{self._loss_percent}%'] if self._loss_percent else []
        try:
            for space in self._spaces.values():
                _run('tc', '-n', space, 'qdisc', 'add', 'dev', _DEVICE, *netem)
        except subprocess.CalledProcessError:
            return False  # this kernel has none
        self._place = ['parent', '1:1']
        return True

    def _delay_by_process(self):
        _complete_checksums(self._spaces['agent'])
        line = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'delay_line.py')
        self._line = self.hub(['python3', line, _DEVICE, f'{HUB_ADDRESS}/24', str(self._rtt_ms)], stdout=subprocess.PIPE,
                              text=True)
        if not self._line.stdout.readline():
            raise Unavailable('a round trip needs netem in the kernel or /dev/net/tun')

    def _remove(self):
        self.stop_playing()
        if self._tc:
            with contextlib.suppress(OSError):
                self._tc.stdin.close()
            self._tc.wait()
            self._tc.stdout.close()
        if self._kick_socket:
            self._kick_socket.close()
        for space in self._spaces.values():
            _remove_space(space)
        if self._line:
            self._line.wait()
            self._line.stdout.close()

    def _start(self, side, command, **options):
        environment = {**options.pop('env', os.environ), 'LINK_AGENT': AGENT_ADDRESS, 'LINK_HUB': HUB_ADDRESS}
        options = {'stdin': subprocess.DEVNULL, 'start_new_session': True, **options}
        return subprocess.Popen(['ip', 'netns', 'exec', self._spaces[side], *command], env=environment, **options)

    def _limit_at(self, bits):
        return int(bits / 8 * self._queue_ms / 1000) + self._burst  # as tc reckons its `latency`

    def _qdisc(self, verb, bits, burst):
        return ['qdisc', verb, 'dev', _DEVICE, *self._place, 'tbf', 'rate', f'{max(int(bits), _STALLED)}bit',
                'burst', f'{burst}b', 'limit', str(self._limit)]

    def _change(self, bits, burst):
        with self._lock:
            with contextlib.suppress(OSError):  # tc has ended: its last words say why
                self._tc.stdin.write(f'{" ".join(self._qdisc("change", bits, burst))}\nqdisc show dev {_DEVICE}\n')
                self._tc.stdin.flush()
            answer = self._tc.stdout.readline()
            if self._rtt_ms and answer.startswith('qdisc netem'):
                answer = self._tc.stdout.readline()
            if not answer.startswith('qdisc tbf'):
                raise RuntimeError(f'tc: {answer.strip()}')
            self.rate_changes += 1
            self._kick()

    def _kick(self):
        """TBF does not look again at what waits until the time it set under the old rate, or until something is sent."""
        try:
            self._kick_socket.send(bytes(12) + b'\x88\xb5')  # to nobody, of the EtherType for experiments
        except OSError as error:
            self._kicks_dropped += error.errno == errno.ENOBUFS

    def _follow(self, trace, loop, ended):
        try:
            if self._play_slots(trace, loop):
                ended.set()
        except BaseException:
            ended.set()
            raise

    def _play_slots(self, trace, loop):
        """True at the trace's end, False if stopped before.

        Every change of rate fills TBF's bucket: ten times a second, that would add 0.6 Mbit/s of 8 KB bursts. So the bucket is
        small where the slot is, its filling is reckoned in, and what a slot got too much or too little goes to the next.
        """
        start, due, owed, last = time.monotonic(), 0, 0.0, None
        while loop or due < len(trace.slots):
            if self._stop_playing.wait(max(0.0, start + due * trace.SLOT - time.monotonic())):
                return False
            now = max(due, int((time.monotonic() - start) / trace.SLOT))  # late: the slots passed by are made up for
            owed += sum(trace.slots[slot % len(trace.slots)] for slot in range(due, now + 1))
            due = now + 1
            burst = max(_MIN_BURST, min(self._burst, int(owed / 4)))
            filled = burst - _PACKET / 2  # less what the slot before left over: half a packet on average
            setting = (max(_STALLED, int((owed - filled) / trace.SLOT * 8)), burst)
            if setting != last:
                self._change(*setting)
                owed -= filled
            owed -= setting[0] / 8 * trace.SLOT
            last = setting
        return not self._stop_playing.wait(max(0.0, start + due * trace.SLOT - time.monotonic()))


def remove_stale():
    """Removes the namespaces of links whose process has died without doing so."""
    for line in _ip('netns', 'list').splitlines():
        match = re.match(rf'({_PREFIX}-(\d+)-\S+)', line)
        if match and not os.path.exists(f'/proc/{match[2]}'):
            _remove_space(match[1])


def _remove_space(space):
    if not os.path.exists(f'/run/netns/{space}'):
        return
    for pid in _ip('netns', 'pids', space).split():
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(pid), signal.SIGKILL)
    _ip('netns', 'delete', space)


def _complete_checksums(space):
    """Else what is sent there is left to a network card to be completed, and whoever carries frames on would carry that."""
    command = struct.pack('II', 0x17, 0)  # ETHTOOL_STXCSUM, linux/ethtool.h
    with _inside(space), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        held = ctypes.create_string_buffer(command)
        fcntl.ioctl(control, 0x8946, struct.pack('16sP16x', _DEVICE.encode(), ctypes.addressof(held)))  # SIOCETHTOOL


def _packet_socket(space):
    """A raw socket on the link's device, in a namespace that this process is not in."""
    with _inside(space):
        made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # protocol 0: it receives nothing
        made.bind((_DEVICE, 0))
        made.setblocking(False)
        return made


@contextlib.contextmanager
def _inside(space):
    """This thread in that network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open('/proc/thread-self/ns/net') as own, open(f'/run/netns/{space}') as other:
        if libc.setns(other.fileno(), _CLONE_NEWNET) != 0:
            raise Unavailable(f'setns: {os.strerror(ctypes.get_errno())}')
        try:
            yield
        finally:
            libc.setns(own.fileno(), _CLONE_NEWNET)


def _run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _ip(*arguments):
    return _run('ip', *arguments)
