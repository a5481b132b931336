#!/usr/bin/env python3
"""A hub that only measures: takes one agent in, asks it for a heartbeat ten times a second, and times what comes.

    measuring_hub.py --port 8000 --seconds 30 [--skip 5] [--keys-at-least BYTES] [--start CAMERA [--timeline]]

Prints a line of JSON at the end. Event delays are from the event's own time stamp, so both ends must share a clock; answers
are timed from the question. What comes in the first --skip seconds is not counted. With --timeline
every picture is listed too: when its last byte came (s since the begin), its age then (ms), its bytes. Standard library only.
"""
import argparse
import base64
import hashlib
import json
import socket
import struct
import time


def percentile(values, share):
    values = sorted(values)
    return round(values[int(share * (len(values) - 1))], 1) if values else None


class Connection:
    """The server's side of RFC 6455, as far as an honest client needs it."""

    def __init__(self, peer):
        self._peer, self._buffer = peer, b''
        head = b''
        while b'\r\n\r\n' not in head:
            head += peer.recv(4096)
        head, self._buffer = head.split(b'\r\n\r\n', 1)
        key = next(line.split(b':', 1)[1].strip() for line in head.split(b'\r\n') if line.lower().startswith(b'sec-websocket-key'))
        accept = base64.b64encode(hashlib.sha1(key + b'258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest())
        peer.sendall(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: '
                     + accept + b'\r\nSec-WebSocket-Protocol: edgecam.v1\r\n\r\n')

    def send(self, opcode, payload):
        length = len(payload)
        head = bytes([0x80 | opcode, length]) if length < 126 else bytes([0x80 | opcode, 126]) + struct.pack('>H', length)
        self._peer.sendall(head + payload)

    def say(self, message):
        self.send(1, json.dumps(message).encode())

    def frames(self, timeout):
        """Those that came until now, or within the timeout: (opcode, payload). None: the end."""
        self._peer.settimeout(max(timeout, 0.0005))
        try:
            got = self._peer.recv(262144)
        except TimeoutError:
            return []
        except ConnectionResetError:
            return None
        if not got:
            return None
        self._buffer += got
        found = []
        while (frame := self._take()) is not None:
            found.append(frame)
        return found

    def _take(self):
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        length, at = buffer[1] & 0x7f, 2
        if length >= 126:
            width = 2 if length == 126 else 8
            if len(buffer) < at + width:
                return None
            length, at = int.from_bytes(buffer[at:at + width], 'big'), at + width
        if len(buffer) < at + 4 + length:
            return None
        mask = (buffer[at:at + 4] * (length // 4 + 1))[:length]
        payload = (int.from_bytes(buffer[at + 4:at + 4 + length], 'big') ^ int.from_bytes(mask, 'big')).to_bytes(length, 'big')
        self._buffer = buffer[at + 4 + length:]
        return buffer[0] & 0x0f, payload


class Measures:
    def __init__(self, skip, large):
        self.begin = time.time()
        self._from, self._large = self.begin + skip, large
        self.events, self.answers, self.pictures, self.large_keys, self.parts = [], [], [], [], []
        self.bytes = self.dropped = 0
        self.closed, self._half = None, None
        self.newest = None  # channel and sequence of the last whole picture
        self.timeline, self._size = [], 0
        self._ids = set()

    def text(self, message):
        now, kind, data = time.time(), message['type'], message.get('data', {})
        counts = now >= self._from
        if kind == 'face_detected':
            self._ids.add(data['event_id'])
            if counts:
                self.events.append((now - data['timestamp']) * 1000)
        elif kind == 'heartbeat' and 'id' in message and counts:
            self.answers.append((now - float(message['id'])) * 1000)
        elif kind == 'drop' and counts:
            self.dropped += data['frames']

    def binary(self, payload):
        now = time.time()
        kind, flags = payload[1], payload[2]
        sequence, offset, capture, total = struct.unpack('>IIQI', payload[8:28])
        if offset == 0:
            self._half, self._size = now, 0
        self._size += len(payload)
        if kind == 2 and offset + len(payload) - 32 == total:
            self.newest = int.from_bytes(payload[4:6], 'big'), sequence
        if now < self._from:
            return
        self.bytes += len(payload)
        self.parts.append(len(payload) - 32)
        if kind == 2 and offset + len(payload) - 32 == total:
            self.pictures.append(now * 1000 - capture / 1000)
            self.timeline.append((round(now - self.begin, 3), round(now * 1000 - capture / 1000, 1), self._size))
            if flags & 1 and total >= self._large:
                self.large_keys.append(round((now - (self._half or now)) * 1000))

    def summary(self):
        seconds = time.time() - self._from
        return {'seconds': round(seconds, 1),
                'events': len(self.events), 'event_p50_ms': percentile(self.events, .5), 'event_p99_ms': percentile(self.events, .99),
                'event_max_ms': percentile(self.events, 1),
                'answers': len(self.answers), 'answer_p50_ms': percentile(self.answers, .5),
                'answer_p99_ms': percentile(self.answers, .99),
                'pictures': len(self.pictures), 'picture_p50_ms': percentile(self.pictures, .5),
                'picture_p99_ms': percentile(self.pictures, .99), 'pictures_dropped': self.dropped,
                'video_kbps': round(self.bytes * 8 / 1000 / seconds), 'part_bytes_p50': percentile(self.parts, .5),
                'large_keys': len(self.large_keys), 'large_key_ms': self.large_keys[:20],
                'all_events': len(self._ids), 'closed': self.closed}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--address', default='0.0.0.0')
    parser.add_argument('--port', type=int, default=8000)
    parser.add_argument('--seconds', type=float, default=30)
    parser.add_argument('--skip', type=float, default=5)
    parser.add_argument('--keys-at-least', type=int, default=100000)
    parser.add_argument('--ask-every', type=float, default=0.1, help='seconds between heartbeats; 0: none')
    parser.add_argument('--start', help='the camera whose video is wanted; without it the agent must send by itself')
    parser.add_argument('--timeline', action='store_true')
    parser.add_argument('--media-ack', action='store_true', help='say when pictures are there, five times a second')
    args = parser.parse_args()
    listener = socket.create_server((args.address, args.port))
    peer, _ = listener.accept()
    peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection = Connection(peer)
    measures = Measures(args.skip, args.keys_at_least)
    end, asked, acknowledged = measures.begin + args.seconds, 0.0, 0.0
    while (now := time.time()) < end:
        if args.ask_every and now >= asked + args.ask_every:
            asked = now
            connection.say({'type': 'heartbeat', 'id': repr(now)})
        frames = connection.frames(asked + args.ask_every - now if args.ask_every else 0.1)
        if frames is None:
            measures.closed = measures.closed or 1006
            break
        for opcode, payload in frames:
            if opcode == 2:
                measures.binary(payload)
                if args.media_ack and measures.newest and time.time() >= acknowledged + 0.2:
                    acknowledged = time.time()
                    channel, sequence = measures.newest
                    measures.newest = None
                    connection.say({'type': 'media_ack', 'channel': channel, 'sequence': sequence})
            elif opcode == 9:
                connection.send(10, payload)
            elif opcode == 8:
                measures.closed = int.from_bytes(payload[:2], 'big')
            elif opcode == 1:
                message = json.loads(payload)
                if message['type'] == 'auth':
                    connection.say({'type': 'system', 'event': 'authenticated', 'data': {'features': ['media_ack'] if args.media_ack else []}})
                    if args.start:
                        connection.say({'type': 'stream_control', 'action': 'start', 'camera_id': args.start})
                measures.text(message)
    print(json.dumps({**measures.summary(), **({'begin': measures.begin, 'timeline': measures.timeline} if args.timeline else {})}), flush=True)


main()
