"""Parameter sweeps: Optuna asks, trials answer; a sweep that was stopped goes on where it was."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from squashlib.evaluate import summary
from squashlib.lab import Case, Trial, run, with_detector

#: What a sweep makes as large as it can: rallies found, with half the weight on their ends being right.
FIGURES = ("rally_f1_iou_0.5", "rally_f1_iou_0.75")
Tell = Callable[[int, int, float], None]


def study(folder: str | Path, name: str) -> Any:
    """The study `name`, kept in a journal under `folder` that outlives a kill.

    Each number that Optuna draws depends on how many trials there are, so that a sweep that goes on does not repeat.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    Path(folder).mkdir(parents=True, exist_ok=True)
    storage = JournalStorage(JournalFileBackend(str(Path(folder) / f"{name}.journal")))
    held = optuna.create_study(storage=storage, study_name=name, direction="maximize", load_if_exists=True)
    held.sampler = optuna.samplers.TPESampler(seed=len(held.trials), n_startup_trials=8)
    return held


def space_of(detector: type) -> dict[str, tuple[float, float, float]]:
    """Low, high and step of each parameter that has bounds."""
    known = {spec.name: spec.metadata for spec in fields(detector) if {"low", "high"} <= spec.metadata.keys()}
    if not known:
        raise ValueError(f"'{detector.__name__}' has no parameter with bounds; give its fields metadata low and high")
    return {name: (bounds["low"], bounds["high"], bounds.get("step", 0.05)) for name, bounds in known.items()}


def sweep(held: Any, detector: type, cases: Sequence[Case], trials: int, tell: Tell | None = None) -> Trial:
    """Bring a study to `trials` finished trials, beginning with the defaults; the best one, run again.

    `tell` hears how many of how many are done, and the best value so far.

    Raises
    ------
    ValueError
        If the detector has no parameter with bounds, or there is no case.
    """
    space = space_of(detector)
    if not held.trials:
        held.enqueue_trial({spec.name: spec.default for spec in fields(detector) if spec.name in space})
    while (done := finished(held)) < trials:
        asked = held.ask()
        try:
            held.tell(asked, objective(detector, _drawn(asked, space), cases))
        except BaseException:
            from optuna.trial import TrialState

            held.tell(asked, state=TrialState.FAIL)
            raise
        if tell:
            tell(done + 1, trials, held.best_value)
    return run(cases, with_detector(detector(**held.best_params)))


def finished(held: Any) -> int:
    """How many trials of a study have an answer."""
    return sum(trial.state.name == "COMPLETE" for trial in held.trials)


def _drawn(asked: Any, space: Mapping[str, tuple[float, float, float]]) -> dict[str, float]:
    return {name: asked.suggest_float(name, low, high, step=step) for name, (low, high, step) in space.items()}


def objective(detector: type, values: Mapping[str, float], cases: Sequence[Case]) -> float:
    """Mean of the figures that a sweep makes large."""
    compared = run(cases, with_detector(detector(**values))).comparisons
    return sum(summary.FIGURES[name](compared) for name in FIGURES) / len(FIGURES)
