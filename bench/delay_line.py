#!/usr/bin/env python3
"""delay_line.py DEVICE ADDRESS RTT_MS: a long line without the kernel's netem, for an emulated link.

Runs in the network namespace of a link's far end. Makes a TAP device, "far0", with the address ("10.9.0.2/24") and
carries every Ethernet frame between it and DEVICE, each way half of the round trip late. Prints "ready"; ends
by a signal. It must not share a process with what is measured: a frame waits for its turn of the interpreter.
"""
import collections
import fcntl
import os
import select
import socket
import struct
import subprocess
import sys
import time

_TAP = 'far0'
_LONGEST_FRAME = 65536
_MOST_WAITING = 10000  # frames each way, as netem's `limit`

# linux/if_tun.h, linux/sockios.h, linux/if_packet.h
_TUNSETIFF, _IFF_TAP, _IFF_NO_PI = 0x400454ca, 0x0002, 0x1000
_ETH_P_ALL, _SOL_PACKET, _PACKET_IGNORE_OUTGOING = 0x0003, 263, 23


def tap(address):
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack('16sH22x', _TAP.encode(), _IFF_TAP | _IFF_NO_PI))
    subprocess.run(['ip', 'address', 'add', address, 'dev', _TAP], check=True)
    subprocess.run(['ip', 'link', 'set', _TAP, 'up'], check=True)
    return device


def frames_of(device):
    frames = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    frames.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
    frames.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    frames.bind((device, 0))
    # The other end of the pair sends to the address of the TAP device.
    membership = struct.pack('IHH8s', socket.if_nametoindex(device), 1, 0, b'')  # PACKET_MR_PROMISC
    frames.setsockopt(_SOL_PACKET, 1, membership)
    frames.setblocking(False)
    return frames


class Way:
    """One direction. A frame leaves a constant time after it came, so the first in is the first out."""

    def __init__(self, read, write, delay):
        self._read, self._write, self._delay = read, write, delay
        self._waiting = collections.deque()

    def take(self):
        try:
            while len(self._waiting) < _MOST_WAITING:
                self._waiting.append((time.monotonic() + self._delay, self._read()))
        except OSError:
            pass  # no more, or the link has just gone down

    def give(self):
        """Sends what is due; seconds until the next is, or None."""
        now = time.monotonic()
        while self._waiting and self._waiting[0][0] <= now:
            try:
                self._write(self._waiting.popleft()[1])
            except OSError:
                pass  # the far end is down, or its queue full: lost
        return self._waiting[0][0] - now if self._waiting else None


def main():
    device, address, rtt_ms = sys.argv[1], sys.argv[2], float(sys.argv[3])
    far, near = tap(address), frames_of(device)
    out = Way(lambda: near.recv(_LONGEST_FRAME), lambda frame: os.write(far, frame), rtt_ms / 2000)
    back = Way(lambda: os.read(far, _LONGEST_FRAME), near.send, rtt_ms / 2000)
    print('ready', flush=True)
    while True:
        soonest = [wait for wait in (out.give(), back.give()) if wait is not None]
        ready, _, _ = select.select([near, far], [], [], min(soonest, default=None))
        if near in ready:
            out.take()
        if far in ready:
            back.take()


if __name__ == '__main__':
    main()
