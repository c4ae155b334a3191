"""The command that SzCORE's image runs, on recordings at hand: tables against those of `detect`, time and memory.

    python benchmarks/szcore.py FOLDER [--recordings 50]

FOLDER has an ``index.csv`` whose column ``file`` names recordings; so many are taken evenly. Each is one run of the CMD
of deploy/szcore/Dockerfile, with ``/data`` and ``/output`` replaced by folders. As root on Linux every run has a mount
namespace of its own in which the whole file system is read-only but for the output and a temporary folder, no network,
and no home directory; elsewhere only the last.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from brainscan.detector import Detector
from brainscan.errors import BrainscanError
from brainscan.io import read
from brainscan.io.content import Content
from brainscan.io.event_formats import FORMATS
from brainscan.io.outputs import pieces

DOCKERFILE = Path(__file__).resolve().parents[1] / "deploy" / "szcore" / "Dockerfile"
_READ_ONLY = (
    "mount --make-rprivate / && mount --bind {out} {out} && mount --bind {tmp} {tmp}"
    " && mount -o remount,ro,bind / && exec {command}"
)


def command_of(data: Path, out: Path) -> str:
    """Return the shell command of the image's CMD, with our folders."""
    (found,) = re.findall(r'^CMD \["sh", "-c", "(.*)"\]$', DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    return found.replace('\\"', '"').replace("/data/", f"{data}/").replace("/output/", f"{out}/")


def run(command: str, recording: Path, table: str, out: Path, tmp: Path) -> tuple[int, float, float]:
    """Run the command once; return exit code, seconds, and the peak of memory in MiB."""
    shut = os.geteuid() == 0 and shutil.which("unshare") is not None
    words = ["sh", "-c", command]
    if shut:
        script = _READ_ONLY.format(out=out, tmp=tmp, command=command.removeprefix("exec "))
        words = ["unshare", "--mount", "--net", "sh", "-c", script]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "INPUT": recording.name, "OUTPUT": table, "TMPDIR": str(tmp), "HOME": "/nonexistent"}
    began = time.perf_counter()
    process = subprocess.Popen(words, env=environment, cwd="/", stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, time.perf_counter() - began, usage.ru_maxrss / 1024


def main() -> int:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--recordings", type=int, default=50)
    arguments = parser.parse_args()
    corpus = arguments.folder.resolve()
    with (corpus / "index.csv").open(encoding="utf-8", newline="") as stream:
        files = [row["file"] for row in csv.DictReader(stream)]
    chosen = [corpus / files[len(files) * k // arguments.recordings] for k in range(arguments.recordings)]
    detector = Detector.from_pretrained("default")
    seconds, peaks, different, refused = [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        out, tmp = Path(folder) / "out", Path(folder) / "tmp"
        out.mkdir()
        tmp.mkdir()
        for number, recording in enumerate(chosen):
            table = f"{number}_events.tsv"
            code, took_s, peak = run(command_of(recording.parent, out), recording, table, out, tmp)
            seconds.append(took_s)
            peaks.append(peak)
            held = (out / table).read_bytes() if (out / table).exists() else b""
            try:
                opened = read(recording)
                expected = b"".join(pieces(Content.of(detector.detect(opened), opened), FORMATS["tsv"]))
            except BrainscanError as error:
                expected = b""
                refused.append(f"{recording.name} ({error.kind})")
            if held != expected or (code == 0) != bool(expected):
                different.append(f"{recording.name} (exit {code})")
            print(f"\r{number + 1}/{len(chosen)}", end="", file=sys.stderr)
        left = [path.name for path in tmp.iterdir()]
    print(file=sys.stderr)
    print(f"{len(chosen)} recordings: {len(chosen) - len(different)} tables equal to detect's; different: {different}")
    print(f"refused by both: {refused}; left in the temporary folder: {left}")
    ordered = sorted(seconds)
    print(f"seconds a run: median {ordered[len(ordered) // 2]:.1f}, most {ordered[-1]:.1f}; peak {max(peaks):.0f} MiB")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
