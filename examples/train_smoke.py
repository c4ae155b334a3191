"""Train a toy detector in seconds and detect with it: ``python train_smoke.py [RUN]``.

It shows that training runs from end to end on this machine, and what a run leaves; two epochs of three steps teach
nothing. Needs the extra ``train``. The same on the command line: ``brainscan train --profile smoke``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import brainscan

SAMPLE = Path(__file__).parent / "sample.edf"


def main(arguments: Sequence[str]) -> int:
    """Train into RUN, else into a temporary folder; load the checkpoint and detect."""
    with tempfile.TemporaryDirectory() as temporary:
        run = Path(arguments[0]) if arguments else Path(temporary) / "run"
        # A training is a process of its own: it may be killed, and goes on with --resume RUN.
        command = [sys.executable, "-m", "brainscan", "train", "--profile", "smoke", "--data", "simulation"]
        done = subprocess.run([*command, "-o", str(run)], check=False)
        if done.returncode:
            return done.returncode
        print("the run holds", *sorted(path.name for path in run.iterdir()))
        detector = brainscan.Detector.from_pretrained(run / "model.safetensors")
        print(detector.detect(SAMPLE))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
