"""Simulated EEG with known seizures: whole recordings, and the pieces they are composed of."""

from brainscan.simulate.artifacts import ARTIFACTS, artifact_piece
from brainscan.simulate.background import background_piece
from brainscan.simulate.recording import PAGE_S, SimulatedSeizure, Simulation, SimulationConfig, simulate
from brainscan.simulate.seizures import PATTERNS, SeizurePiece, seizure_piece

__all__ = [
    "ARTIFACTS",
    "PAGE_S",
    "PATTERNS",
    "SeizurePiece",
    "SimulatedSeizure",
    "Simulation",
    "SimulationConfig",
    "artifact_piece",
    "background_piece",
    "seizure_piece",
    "simulate",
]
