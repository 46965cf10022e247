"""Runs one command. When standard input closes, ends the command and every process that it started.

The parent holds the other end of standard input, so the command ends when the parent ends, also after an exception,
Ctrl-C or SIGKILL. FOLDER is removed then.

    python tether.py FOLDER COMMAND [ARGUMENT...]
"""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

PR_SET_CHILD_SUBREAPER = 36
# Seconds after which a killed process is no longer waited for. It usually ends within milliseconds.
END_LIMIT = 5


def adopt_orphans():
    """Makes this process the parent of its descendants whose parent has ended, so that it can wait for them. Only Linux has this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for_group(group):
    deadline = time.monotonic() + END_LIMIT
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        except ChildProcessError:
            pass  # There are no more children.
        try:
            os.killpg(group, 0)
        except OSError:
            return  # The group has no more processes.
        time.sleep(0.01)


def main():
    folder, command = sys.argv[1], sys.argv[2:]
    adopt_orphans()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    parent_ended = threading.Event()

    def end_group():
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # The group has already ended.

    def wait_for_parent():
        while os.read(0, 1024):
            pass
        parent_ended.set()
        end_group()

    threading.Thread(target=wait_for_parent, daemon=True).start()
    status = child.wait()
    end_group()
    wait_for_group(child.pid)
    # If the command ends first, the parent still needs the log in the folder.
    if parent_ended.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status if status >= 0 else 128 - status)


main()
