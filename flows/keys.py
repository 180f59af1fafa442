"""Keys of steps: a result is there if its key is, and the key hashes all that went into it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from typing import Any, cast

from squashlib.fingerprint import content_hash, detector_fingerprint, module_hash, reached


@cache
def decoder_hash() -> str:
    """Hash of the code that makes sessions of uploads."""
    modules = reached("squashlib.decode") | reached("squashlib.decode.batches") | reached("squashlib.decode.merge")
    return content_hash(sorted((name, module_hash(name)) for name in modules))


@cache
def explain_hash() -> str:
    """Hash of the code that turns findings into insights and documents: what no detector's fingerprint covers."""
    from squashlib.analysis import default_framework

    detectors = [reached(type(detector).__module__) for detector in default_framework().ordered()]
    modules = reached("squashlib.analysis").difference(*detectors)
    return content_hash(sorted((name, module_hash(name)) for name in modules))


def detector_prints() -> dict[str, str]:
    """Fingerprint of each detector now."""
    from squashlib.analysis import default_framework

    return {detector.name: detector_fingerprint(detector) for detector in default_framework().ordered()}


def declared() -> dict[str, dict[str, Any]]:
    """Version and parameters of each detector now."""
    from squashlib.analysis import default_framework

    return {
        detector.name: {"version": detector.version, **asdict(cast("Any", detector))}
        for detector in default_framework().ordered()
    }


def revision_key(sent: Sequence[tuple[str, str]], end_time: Any) -> str:
    """Key of the revision of uploads, each its kind and hash, in any order."""
    ordered = sorted(sent)
    return content_hash("revision", ordered, decoder_hash(), None if ordered else str(end_time))


def analysis_key(inputs: str, prints: Mapping[str, str]) -> str:
    """Key of the analysis of inputs by today's code."""
    return content_hash("analysis", inputs, prints, explain_hash())


@cache
def _figures_hash() -> str:
    modules = reached("squashlib.plot") | {"squashlib.report"}
    return content_hash(sorted((name, module_hash(name)) for name in modules))


def report_key(analysis: str, notebook: str) -> str:
    """Key of a report: its analysis, its notebook and the code of its figures."""
    from flows.render import notebook_path

    return content_hash("report", analysis, notebook_path(notebook).read_text(), _figures_hash())
