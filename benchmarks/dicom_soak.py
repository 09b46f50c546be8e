"""Memory of the DICOM receiver over many associations: stores, echoes, aborts, port checks, half-sent requests.

    python benchmarks/dicom_soak.py --associations 10000

The receiver runs in this process, the clients in another one, so that memory, threads and open files are the
receiver's own. Printed are these every tenth of the way, and the growth from the second tenth to the last.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

CLIENT = """
import socket, sys
sys.path.insert(0, {root!r})
from pynetdicom import AE
from tests.planting.dicom_objects import mr_dataset
entity = AE()
entity.add_requested_context("1.2.840.10008.5.1.4.1.1.4")
entity.add_requested_context("1.2.840.10008.1.1")
stored = 0
for number in range({n}):
    kind = number % 10
    if kind == 9:
        socket.create_connection(("127.0.0.1", {port})).close()
        continue
    if kind == 8:
        with socket.create_connection(("127.0.0.1", {port})) as raw:
            raw.sendall(b"\\x01\\x00\\x00\\x00\\x10\\x00half")
        continue
    one = entity.associate("127.0.0.1", {port}, ae_title="HEADTOHEAD")
    assert one.is_established, number
    if kind < 3:
        stored += one.send_c_store(mr_dataset()).Status == 0
    else:
        assert one.send_c_echo().Status == 0
    if kind == 7:
        one.abort()
    else:
        one.release()
print(stored)
"""


def resident() -> float:
    """Return the resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main() -> None:
    from headtohead.core.parallel import share_one_heap
    from headtohead.deploy.dicom.receiver import DicomReceiver, ListenSettings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--associations", type=int, default=10_000)
    total = parser.parse_args().associations
    share_one_heap()  # as `headtohead dicom listen` does
    with tempfile.TemporaryDirectory() as folder:
        receiver = DicomReceiver(lambda _: None, Path(folder), ListenSettings(port=0, settle_s=0.5))
        receiver.start()
        seen, stored, began = [], 0, time.monotonic()
        root = str(Path(__file__).resolve().parents[1])
        for part in range(10):
            code = CLIENT.format(root=root, n=total // 10, port=receiver.port)
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True
            )
            if done.returncode:
                raise SystemExit(done.stderr)
            stored += int(done.stdout)
            time.sleep(1)
            gc.collect()
            seen.append(resident())
            files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()  # noqa: PTH208
            print(
                f"{(part + 1) * total // 10:6} associations: {seen[-1]:7.1f} MB, {threads} threads, {files} files"
            )
        seconds = time.monotonic() - began
        time.sleep(1)
        receiver.stop()
        left = [path for path in Path(folder).rglob("*") if path.is_file()]
        growth = 100 * (seen[-1] - seen[1]) / seen[1]
        print(
            f"{total / seconds:.0f} associations a second; {stored} objects stored, {len(left)} left on disk"
        )
        print(f"growth from the second tenth to the last: {growth:+.2f} %")


if __name__ == "__main__":
    main()
