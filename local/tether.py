"""Runs one command. When standard input closes, ends the command and every process that it started.

The parent holds the other end of standard input, so the command ends when the parent ends, also after an exception,
Ctrl-C or SIGKILL. FOLDER is removed then.

    python tether.py FOLDER COMMAND [ARGUMENT...]
"""

import os
import shutil
import signal
import subprocess
import sys
import threading


def main():
    folder, command = sys.argv[1], sys.argv[2:]
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
    # If the command ends first, the parent still needs the log in the folder.
    if parent_ended.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status if status >= 0 else 128 - status)


main()
