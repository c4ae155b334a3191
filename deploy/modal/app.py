"""brainscan on Modal: each action is a command of brainscan in a container, its folders are volumes.

    pip install modal pyyaml && modal setup
    python -m build --wheel --outdir dist .
    modal volume put brainscan-data tuh_eeg_seizure/v2.0.3 /tuh_eeg_seizure/v2.0.3
    modal run deploy/modal/app.py --action populate-cache --config configs/modal/train.yaml
    modal run --detach deploy/modal/app.py --action train --config configs/modal/train.yaml
    modal run deploy/modal/app.py --action evaluate --config configs/modal/evaluate.yaml
    modal run deploy/modal/app.py --action detect --config configs/modal/detect.yaml
    modal run deploy/modal/app.py --action clean-cache --config configs/modal/train.yaml

A configuration names the run's folder, the machine, and the arguments of the command (docs/cloud.md). What takes longer
than one call may is stopped in time and goes on in another one. Data of patients leave the house with this: see
docs/security.md first.
"""

from __future__ import annotations

import json
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import modal

REPOSITORY = Path(__file__).resolve().parents[2] if modal.is_local() else Path("/")
ROOT = Path("/vol")
"""Where a container sees its volumes: ROOT/data (read only), ROOT/cache, ROOT/runs."""
LONGEST_H = 23.5
"""The platform ends a call after 24 h."""
GRACE_S = 300.0
"""A command that is told to stop has so long to write its state."""

EXIT_USAGE, EXIT_STOPPED = 2, 130

VOLUMES = {
    name: modal.Volume.from_name(f"brainscan-{name}", create_if_missing=True) for name in ("data", "cache", "runs")
}


def wheel() -> Path | None:
    """Return the newest wheel of the checkout, None where none was built."""
    found = sorted((REPOSITORY / "dist").rglob("brainscan-*.whl"), key=lambda path: path.stat().st_mtime)
    return found[-1] if found else None


def image() -> modal.Image:
    """Return what runs: the wheel with its pins, and nothing else of the checkout."""
    made = modal.Image.debian_slim(python_version="3.12")
    built = wheel() if modal.is_local() else None
    if built is None:
        return made
    made = made.add_local_file(REPOSITORY / "constraints.txt", "/install/constraints.txt", copy=True)
    made = made.add_local_file(built, f"/install/{built.name}", copy=True)
    extras = "[torch,train,report,mne]"
    return made.run_commands(f"pip install -c /install/constraints.txt '/install/{built.name}{extras}'")


app = modal.App("brainscan", image=image())


@dataclass(frozen=True, slots=True)
class Request:
    """What one configuration asks for.

    Parameters
    ----------
    run : str
        Folder of the results in the volume ``brainscan-runs``.
    arguments : tuple of str
        Of the command, with paths as the container sees them (``/vol/data/…``, ``/vol/runs/…``).
    gpu : str
        Modal's name of the card, empty for none.
    cpu : float
        Cores.
    memory_gb : int
    hours_per_call : float
        After so long the command is stopped and goes on in another call.
    price_per_hour : float
        Of such a machine, as your plan has it; 0 where it is not known.
    """

    run: str
    arguments: tuple[str, ...] = ()
    gpu: str = ""
    cpu: float = 8.0
    memory_gb: int = 32
    hours_per_call: float = 23.0
    price_per_hour: float = 0.0

    def __post_init__(self) -> None:
        if not self.run or Path(self.run).name != self.run or self.run.startswith("."):
            raise ValueError(f"run: {self.run!r} is no plain name of a folder")
        if not 0.0 < self.hours_per_call <= LONGEST_H:
            raise ValueError(f"hours_per_call: {self.hours_per_call:g} is not above 0 and at most {LONGEST_H:g}")
        if self.price_per_hour < 0.0:
            raise ValueError("price_per_hour: below 0")

    @property
    def folder(self) -> Path:
        """Where the results go."""
        return ROOT / "runs" / self.run

    @property
    def cache(self) -> Path:
        """Where preprocessed recordings lie."""
        return ROOT / "cache" / self.run


def request_of(path: Path, read: Callable[[str], Any]) -> Request:
    """Read a configuration.

    Parameters
    ----------
    path : Path
    read : callable
        From its text to a mapping.

    Raises
    ------
    ValueError
        If it is none, or a key or value cannot be used.
    """
    data = read(path.read_text("utf-8"))
    if not isinstance(data, Mapping):
        raise ValueError("no mapping: KEY: VALUE, one a line")
    kinds = {one.name: one.type for one in fields(Request)}
    if unknown := sorted(set(data) - set(kinds)):
        raise ValueError(f"no such key: {', '.join(map(str, unknown))} (there are {', '.join(kinds)})")
    casts: dict[str, Callable[[Any], Any]] = {"float": float, "int": int, "str": str}
    values = {key: casts.get(str(kinds[key]), _words)(value) for key, value in data.items()}
    return Request(**values)


def _words(value: object) -> tuple[str, ...]:
    """Take arguments as a list, or as one line in a shell's notation."""
    if isinstance(value, str):
        return tuple(shlex.split(value))
    if not isinstance(value, list):
        raise ValueError("arguments: neither a list nor a line")
    return tuple(str(word) for word in value)


def command_of(action: str, request: Request) -> list[str]:
    """Return the brainscan command of an action; a run that has begun is gone on with.

    >>> command_of("detect", Request("night", ("/vol/data/ward",)))[1:3]
    ['/vol/data/ward', '-o']
    """
    given, folder = list(request.arguments), str(request.folder)
    if action in {"train", "populate-cache"}:
        more = ["--cache-only"] if action == "populate-cache" else []
        if (request.folder / "config.yaml").is_file():
            return ["train", "--resume", folder, *more]
        return ["train", *given, "--set", f"data.cache={request.cache}", "-o", folder, *more]
    if action == "evaluate":
        return ["evaluate", *given, "-o", folder]
    return ["scan", *given, "-o", folder]


@dataclass(frozen=True, slots=True)
class Ended:
    """How a call ended.

    Parameters
    ----------
    code : int
        The command's exit code.
    hours : float
    command : list of str
    unfinished : bool
        It was stopped for time, and goes on when it is called again.
    """

    code: int
    hours: float
    command: list[str] = field(default_factory=list)
    unfinished: bool = False


def go(action: str, request: Request, longest_s: float) -> Ended:
    """Run an action's command for at most so long; it is then asked to stop, and writes its state."""
    command = command_of(action, request)
    begun = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "brainscan", *command])
    stopped = False
    try:
        code = process.wait(longest_s)
    except subprocess.TimeoutExpired:
        stopped = True
        process.terminate()  # not SIGINT: a child of a background shell's inherits that it is ignored
        try:
            code = process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            code = process.wait()
    finally:
        if process.poll() is None:  # the platform takes the container back: what is written is kept by the volume
            process.kill()
    unfinished = stopped and code in {EXIT_STOPPED, -signal.SIGTERM, -signal.SIGKILL}
    return Ended(code, (time.monotonic() - begun) / 3600.0, command, unfinished)


def _keep() -> None:
    """Make what was written last beyond this container."""
    if not modal.is_local():
        VOLUMES["cache"].commit()
        VOLUMES["runs"].commit()


MOUNTS: dict[str | Path, Any] = {
    str(ROOT / "data"): VOLUMES["data"].read_only(),
    str(ROOT / "cache"): VOLUMES["cache"],
    str(ROOT / "runs"): VOLUMES["runs"],
}


@app.function(
    volumes=MOUNTS,
    timeout=24 * 3600,
    retries=modal.Retries(max_retries=3, initial_delay=10.0),
    single_use_containers=True,
)
def call(action: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Run one call of an action in a container; where its time is over, the next one is started from here."""
    request = Request(**asked)
    ended = go(action, request, request.hours_per_call * 3600.0)
    _keep()
    if ended.unfinished and not modal.is_local():
        machine(call, request).spawn(action, asked)
    return asdict(ended)


@app.function(volumes=MOUNTS, timeout=3600, cpu=4.0, memory=8 * 1024)
def outlook(asked: dict[str, Any]) -> dict[str, Any]:
    """Return what ``--dry-run`` says of a training run: counts, and hours where a rate was measured."""
    command = command_of("train", Request(**asked))
    done = subprocess.run(
        [sys.executable, "-m", "brainscan", *command, "--dry-run", "--json"], stdout=subprocess.PIPE, check=False
    )
    return json.loads(done.stdout) if done.returncode == 0 else {"failed": done.returncode}


@app.function(volumes={str(ROOT / "cache"): VOLUMES["cache"]}, timeout=3600)
def clean(asked: dict[str, Any], really: bool = False) -> dict[str, Any]:
    """Count, and remove if so told, the preprocessed recordings of a run."""
    folder = Request(**asked).cache
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []
    size = sum(path.stat().st_size for path in files)
    if really and files:
        shutil.rmtree(folder)
        _keep()
    return {"folder": str(folder), "files": len(files), "bytes": size, "removed": really and bool(files)}


def machine(function: Any, request: Request) -> Any:
    """Return a function on the machine that a configuration asks for."""
    return function.with_options(gpu=request.gpu or None, cpu=request.cpu, memory=request.memory_gb * 1024)


def cost_of(plan: Mapping[str, Any], request: Request) -> str:
    """Say what a run would cost, as far as it is known.

    Parameters
    ----------
    plan : mapping
        What `outlook` returned.
    request : Request
    """
    duration, price = plan["duration"], request.price_per_hour
    what = f"{request.gpu or 'CPU'}-hours"
    call_h = request.hours_per_call
    if duration["hours"] is None:
        text = f"cost: unknown ({duration['basis']})"
        return text + (f"; one call of {call_h:g} h costs at most {price * call_h:.2f}" if price else "")
    hours = float(duration["hours"])
    calls = max(1, -int(-hours // call_h))
    text = (
        f"cost: about {hours:.1f} {what} in {calls} call{'' if calls == 1 else 's'} (an estimate: {duration['basis']})"
    )
    return f"{text}, {hours * price:.2f} at {price:g} an hour" if price else f"{text}; price_per_hour is not given"


ACTIONS = ("train", "evaluate", "populate-cache", "clean-cache", "detect")


@app.local_entrypoint()
def main(action: str, config: str, yes: bool = False) -> None:
    """Start an action.

    Parameters
    ----------
    action : {"train", "evaluate", "populate-cache", "clean-cache", "detect"}
    config : str
        A file as in configs/modal/.
    yes : bool
        Remove for ``clean-cache``; without it, only what would go is shown.
    """
    import yaml

    if action not in ACTIONS:
        _refuse(f"no such action: {action} (there are {', '.join(ACTIONS)})")
    try:
        request = request_of(Path(config), yaml.safe_load)
    except (OSError, ValueError, yaml.YAMLError) as problem:
        _refuse(f"{config}: {' '.join(str(problem).split())}")
    if wheel() is None:
        _refuse("there is no wheel in dist/: python -m build --wheel --outdir dist .")
    asked = asdict(request)
    if action == "clean-cache":
        found = clean.remote(asked, yes)
        done = "removed" if found["removed"] else "would be removed with --yes"
        print(f"{found['folder']}: {found['files']} files, {found['bytes'] / 1e9:.2f} GB {done}")
        return
    if action == "train":
        plan = outlook.remote(asked)
        if "failed" in plan:
            _refuse(f"the dry run ended with exit code {plan['failed']}; its message is above")
        print(cost_of(plan, request))
    ended = machine(call, request).remote(action, asked)
    if ended["unfinished"]:
        print(f"{ended['hours']:.1f} h are over; the run goes on in another call, {request.folder} has its log")
        return
    print(f"brainscan {shlex.join(ended['command'])}: exit code {ended['code']} after {ended['hours']:.2f} h")
    if ended["code"]:
        raise SystemExit(ended["code"])


def _refuse(text: str) -> None:
    print(f"error: {text}", file=sys.stderr)
    raise SystemExit(EXIT_USAGE)
