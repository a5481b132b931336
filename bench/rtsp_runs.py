"""An RTSP camera that plays a clip, and who takes its stream: the agent with viewers, or another program. For what compares their processor time."""
import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time

from measuring import cpu_seconds, family, proportional_mb, resident_mb

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)
build = os.environ.get('EDGECAM_BUILD', os.path.join(root, 'build'))
shared = os.environ.get('EDGECAM_SHARED', os.path.join(root, '../shared'))
clip = os.path.join(shared, 'media/people_720p30.mp4')
WARM_SECONDS = 3  # start-up is not what is measured


def _free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def _stop(process):
    process.terminate()
    process.wait(timeout=15)


@contextlib.contextmanager
def rtsp_camera(file=clip):
    """Gives the URL of an H.264 camera at 30 pictures a second that plays the file, 720p where none is named."""
    if not os.path.exists(file):
        sys.exit(f'{file} is absent: nothing to stream')
    port = _free_port()
    server = subprocess.Popen([os.path.join(build, 'tests/capture/rtsp_server'), str(port), file, 'h264', '-'], stdout=subprocess.PIPE, text=True)
    try:
        server.stdout.readline()  # "ready"
        yield f'rtsp://127.0.0.1:{port}/cam'
    finally:
        _stop(server)


def _measure(pid, seconds):
    """Of the process and its children: CPU seconds, and memory in MB."""
    time.sleep(WARM_SECONDS)
    began, before = time.monotonic(), cpu_seconds(family(pid))
    time.sleep(seconds)
    used = (cpu_seconds(family(pid)) - before) * seconds / (time.monotonic() - began)
    return {'cpu_s': used, 'resident_mb': resident_mb(family(pid)), 'pss_mb': proportional_mb(family(pid))}


def program(command, seconds):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        measured = _measure(process.pid, seconds)
        if process.poll() is not None:
            sys.exit(f'it ended: {" ".join(command)}')
        return measured
    finally:
        _stop(process)


def gst_launch(url, rest, seconds):
    """gst-launch that receives as the agent does."""
    return program(['gst-launch-1.0', '-q', 'rtspsrc', f'location={url}', 'latency=0', 'protocols=tcp', '!', *rest.split()], seconds)


def motion(url, seconds, record):
    """motion with its detection paused. `record`: it writes the camera's own coding into a file all the time; else one viewer has its live
    picture, which is MJPEG, in the camera's size and rate."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        options = {'target_dir': folder, 'netcam_url': url, 'width': 1280, 'height': 720, 'framerate': 30, 'picture_output': 'off', 'log_level': 3,
                   'movie_output': 'on' if record else 'off', 'movie_passthrough': 'on', 'emulate_motion': 'on' if record else 'off',
                   'stream_port': 0 if record else port, 'stream_localhost': 'on', 'stream_maxrate': 30, 'stream_quality': 80}
        path = os.path.join(folder, 'motion.conf')
        with open(path, 'w') as file:
            file.writelines(f'{name} {value}\n' for name, value in options.items())
        command = ['motion', '-n', '-c', path] + ([] if record else ['-m'])
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        viewer = None
        try:
            if not record:  # who comes before its camera is there is turned away
                again = ['--retry', '20', '--retry-all-errors', '--retry-delay', '1']
                viewer = subprocess.Popen(['curl', '-sN', *again, '-o', '/dev/null', f'http://127.0.0.1:{port}/'])
            time.sleep(2 * WARM_SECONDS)
            measured = _measure(process.pid, seconds)
            if process.poll() is not None or (viewer and viewer.poll() is not None):
                sys.exit('motion or its viewer ended')
            if record and not any(name.endswith(('.mkv', '.mp4')) for name in os.listdir(folder)):
                sys.exit('motion recorded nothing')
            return measured
        finally:
            for one in filter(None, (viewer, process)):
                _stop(one)


@contextlib.contextmanager
def lonely_agent(url, vision):
    """Gives the pid of the agent with one camera and nobody who watches it. `vision`: the config's; None: nobody looks either."""
    with tempfile.TemporaryDirectory() as folder:
        config = {'data_dir': folder, 'vision': vision or {}, 'cameras': [{'id': 'cam', 'source': url, 'vision': vision is not None}],
                  'server': {'listen': '127.0.0.1:0', 'own_process': False, 'tokens': [{'token': 'bench', 'role': 'operator'}]}}
        path = os.path.join(folder, 'config.json')
        with open(path, 'w') as file:
            json.dump(config, file)
        process = subprocess.Popen([os.path.join(build, 'agent/edgecam'), 'run', '--config', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            page = process.stdout.readline().split()[1].split('#')[0]
            yield process.pid, page
        finally:
            _stop(process)


def agent(url, seconds, own_process=False, cameras=1, quality=None):
    """The agent without vision, and one viewer over its WebSocket that watches all cameras. `quality`: what it wishes, else it gets what the
    camera sends."""
    with tempfile.TemporaryDirectory() as folder:
        port = _free_port()
        names = [f'cam{number}' for number in range(cameras)]
        config = {'data_dir': folder, 'vision': {}, 'cameras': [{'id': name, 'source': url, 'vision': False} for name in names],
                  'server': {'listen': f'127.0.0.1:{port}', 'own_process': own_process, 'tokens': [{'token': 'bench', 'role': 'operator'}]}}
        path = os.path.join(folder, 'config.json')
        with open(path, 'w') as file:
            json.dump(config, file)
        process = subprocess.Popen([os.path.join(build, 'agent/edgecam'), 'run', '--config', path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        viewer = None
        try:
            process.stdout.readline()  # "page: …": it serves
            wish = [json.dumps(quality)] if quality else []
            viewer = subprocess.Popen(['node', os.path.join(here, 'viewer.mjs'), f'ws://127.0.0.1:{port}/v1/stream', 'bench', ','.join(names), *wish],
                                      stdout=subprocess.PIPE, text=True)
            said = viewer.stdout.readline()
            if not said.startswith('first picture'):
                sys.exit('the viewer saw nothing')
            return {**_measure(process.pid, seconds), 'source': said.removeprefix('first picture').strip()}
        finally:
            for one in filter(None, (viewer, process)):
                _stop(one)
