"""`squash …`: what a recording holds and what it means, from the command line.

Nothing but typer is imported before a command runs, so that help answers at once.
"""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Squash matches from a watch: decode, detect, explain.",
)

Format = Literal["text", "json"]
Files = Annotated[list[Path], typer.Argument(help="Recordings: FIT, GPX or TCX; gzip or zip of them.")]
Hand = Annotated[Literal["playing", "other"] | None, typer.Option(help="The wrist that wore the watch.")]


def fail(message: str, status: int) -> typer.Exit:
    """One line on stderr, and the exit to raise."""
    print("squash: " + " ".join(message.split()), file=sys.stderr)
    return typer.Exit(status)


def progress(message: str) -> None:
    """A line on stderr, for people who wait."""
    if sys.stderr.isatty():
        print(f"\r\033[K{message}", end="" if message else "\r", file=sys.stderr, flush=True)


@app.command("analyse")
@app.command("analyze", hidden=True)
def analyse(
    files: Files,
    points: Annotated[Path | None, typer.Option(help="What the watch sent as points (JSON list).")] = None,
    hand: Hand = None,
    hr_max: Annotated[float | None, typer.Option(min=100, max=240, help="Maximum heart rate, bpm.")] = None,
    format: Annotated[Format, typer.Option(help="How to print the result.")] = "text",
    zarr: Annotated[Path | None, typer.Option(help="Also write session and events here.")] = None,
    report: Annotated[Path | None, typer.Option(help="Also write the report as one page here.")] = None,
) -> None:
    """Decode, detect and explain recordings; several files are several matches."""
    if len(files) > 1 and (zarr or report or points):
        raise fail("--points, --zarr and --report belong to one recording; give one FILE", 2)
    failed = 0
    for file in files:
        try:
            _analyse(file, points, hand, hr_max, format, zarr, report, heading=len(files) > 1)
        except _unreadable() as error:
            fail(f"{file}: {_reason(error)}", 1)
            failed += 1
    if failed:
        raise typer.Exit(1)


def _unreadable() -> tuple[type[Exception], ...]:
    from squashlib.errors import SquashError

    return (SquashError, OSError)


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such file; check the path"
    if isinstance(error, IsADirectoryError):
        return "is a folder; name a file in it"
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _read_points(path: Path | None) -> list[dict[str, Any]] | None:
    if path is None:
        return None
    try:
        points = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise fail(f"{path}: cannot be read as points ({_reason(error)}); must be a JSON list of points", 2) from error
    if not isinstance(points, list):
        raise fail(f"{path}: is a JSON {type(points).__name__}, must be a list of points", 2)
    for number, point in enumerate(points, 1):
        if not isinstance(point, dict) or not {"winner", "timestamp"} <= point.keys():
            raise fail(f"{path}: point {number} is {str(point)[:80]}, must be an object with winner and timestamp", 2)
    return points


def _analyse(
    file: Path,
    points: Path | None,
    hand: Literal["playing", "other"] | None,
    hr_max: float | None,
    format: Format,
    zarr: Path | None,
    report: Path | None,
    *,
    heading: bool,
) -> None:
    presses = _read_points(points)
    progress(f"{file.name}: decoding …")
    import squashlib
    from squashlib.athlete import Athlete
    from squashlib.kernels.jit import is_compiled

    compiled = is_compiled()
    session = squashlib.decode(file)
    if not compiled:
        print("compiling, this once: up to 25 s …", file=sys.stderr, flush=True)
    progress(f"{file.name}: detecting …")
    try:
        analysis = squashlib.analyse(session, points=presses, athlete=Athlete(hr_max_bpm=hr_max, hand=hand))
    except ValueError as error:
        raise fail(f"{points}: {error}", 2) from error
    if zarr:
        progress(f"{file.name}: writing {zarr} …")
        analysis.write(zarr)
    if report:
        from squashlib.report import render_report

        progress(f"{file.name}: making the report …")
        render_report(analysis, report)
    progress("")
    print(_shown(analysis.to_dict(), format, file.name if heading else None))


def _shown(document: dict[str, Any], format: Format, heading: str | None) -> str:
    if format == "json":
        return json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    from squashlib.summary_text import text

    return (f"== {heading}\n" if heading else "") + text(document)


@app.command()
def decode(
    file: Annotated[Path, typer.Argument(help="A recording.")],
    zarr: Annotated[Path | None, typer.Option(help="Also write the session here.")] = None,
    format: Annotated[Format, typer.Option(help="How to print what is in it.")] = "text",
) -> None:
    """Say what is in a recording."""
    import squashlib
    from squashlib import session as sessions

    try:
        session = squashlib.decode(file)
        if zarr:
            sessions.write(session, zarr)
    except _unreadable() as error:
        raise fail(f"{file}: {_reason(error)}", 1) from error
    content = sessions.describe(session)
    print(json.dumps(content, ensure_ascii=False, indent=1) if format == "json" else _content_text(content))


def _content_text(content: dict[str, Any]) -> str:
    device = " ".join(
        str(content["device"][k]) for k in ("manufacturer", "product", "name") if content["device"].get(k)
    )
    lines = [
        ", ".join(filter(None, [content["sport"], content["start"], f"{content['duration_s'] / 60:.1f} min", device]))
    ]
    for name, stream in content["streams"].items():
        covered = f"{stream['coverage']:>4.0%} covered"
        lines.append(f"  {name:<18}{stream['samples']:>9,} samples {_rate(stream['rate_hz'])}  {covered}")
    if content["points"]:
        lines.append(f"  points            {content['points']:>9,} presses")
    return "\n".join([*lines, *(f"  ! {warning}" for warning in content["warnings"])])


def _rate(rate_hz: float | None) -> str:
    return " " * 11 if rate_hz is None else f"{rate_hz:>8.2f} Hz"


@app.command()
def simulate(
    out: Annotated[Path, typer.Argument(help="Where to write the FIT file.")],
    points: Annotated[Path | None, typer.Option(help="Also write the presses here (JSON).")] = None,
    truth: Annotated[Path | None, typer.Option(help="Also write what really happened here (JSON).")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed is the same match.")] = 1,
    level: Annotated[Literal["elite", "club", "recreational"], typer.Option(help="Who plays.")] = "club",
    rate: Annotated[float, typer.Option(min=10, max=200, help="Motion samples per second.")] = 50.0,
    hand: Annotated[Literal["playing", "other"], typer.Option(help="The wrist that wears the watch.")] = "playing",
) -> None:
    """Make a match with known truth, as a real FIT file."""
    import squashlib

    for target in filter(None, (out, points, truth)):
        if target.is_dir() or not target.parent.is_dir():
            wrong = "is a folder" if target.is_dir() else f"there is no folder {target.parent}"
            raise fail(f"{target}: {wrong}; name a file in a folder that exists", 2)
    match = squashlib.simulate(seed, level=level, rate_hz=rate, hand=hand)
    squashlib.write_fit(match.session, out)
    for path, content in ((points, match.points), (truth, match.truth)):
        if path:
            path.write_text(json.dumps(content, indent=1))
    print(
        f"{out}: {match.session.attrs['duration_s'] / 60:.0f} min, {len(match.truth['rallies'])} rallies",
        file=sys.stderr,
    )


@app.command()
def evaluate(
    truth: Annotated[Path, typer.Argument(help="What really happened (squash-truth/1).")],
    analysis: Annotated[Path, typer.Argument(help="What was detected (squash-analysis/1).")],
) -> None:
    """Score an analysis against the truth: F1 at IoU 0.5 and 0.75, boundary error, counts."""
    from squashlib.evaluate import evaluate as score

    documents = []
    for path in (truth, analysis):
        try:
            documents.append(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise fail(f"{path}: cannot be read as JSON ({_reason(error)})", 1) from error
    try:
        print(json.dumps(score(*documents), indent=1))
    except (KeyError, TypeError, ValueError) as error:
        raise fail(f"{truth}, {analysis}: not a truth and an analysis ({error!r})", 1) from error


@app.command()
def watch(
    url: Annotated[str, typer.Option(help="The platform's address.")],
    fit: Annotated[Path | None, typer.Option(help="The recording to replay and upload.")] = None,
    points: Annotated[Path | None, typer.Option(help="The presses to replay (JSON list).")] = None,
    queue: Annotated[Path, typer.Option(help="Where what is not yet sent is kept.")] = Path("watch-queue.sqlite"),
    speed: Annotated[float, typer.Option(min=0, help="1 is real time, 0 as fast as it goes.")] = 0,
    name: Annotated[str, typer.Option(help="What the watch is called in the player's list.")] = "squash watch",
) -> None:
    """The reference watch: pair, score, queue while offline, sync."""
    import httpx

    from squashlib.watch import Watch, play

    with Watch(url, queue, name) as device:
        try:
            device.pair(announce=lambda code, where: print(f"Enter the code {code} at {where}", file=sys.stderr))
            if fit:
                play(device, fit, _read_points(points) or [], speed)
            left = device.sync()
        except httpx.HTTPError as error:
            left = device.waiting()
            fail(f"{url}: {error or type(error).__name__}; what is not sent stays queued in {queue}", 1)
    print(f"{left} requests wait in {queue}" if left else "everything is sent", file=sys.stderr)
    raise typer.Exit(1 if left else 0)


@app.command()
def rerun(
    plan: Annotated[bool, typer.Option("--plan", help="Say what is stale and why.")] = False,
    run: Annotated[bool, typer.Option("--run", help="Recompute what is stale.")] = False,
    accept: Annotated[str | None, typer.Option(help="Declare a refactor equivalent, after checking outputs.")] = None,
    compare: Annotated[str | None, typer.Option(help="Say what the last change did to a session, and why.")] = None,
    margin: Annotated[float | None, typer.Option(help="How much F1 on labelled sessions may fall (0.01).")] = None,
) -> None:
    """Bring stored results up to date with the code."""
    if (plan + run + (accept is not None) + (compare is not None)) != 1:
        raise fail("rerun needs one of --plan, --run, --accept FINGERPRINT or --compare SESSION", 2)
    _command("rerun", plan=plan, run=run, accept=accept, compare=compare, margin=margin)


@app.command()
def sweep(
    detector: Annotated[str, typer.Argument(help="package.module:Class with bounded parameters.")],
    trials: Annotated[int, typer.Option(min=1, help="How many trials the sweep has in the end.")] = 40,
    name: Annotated[str | None, typer.Option(help="The same name goes on where it was.")] = None,
) -> None:
    """Try a detector's parameters on the labelled sessions; the best goes on the leaderboard."""
    _command("sweep", detector=detector, called=name, trials=trials)


@app.command()
def dataset(
    out: Annotated[Path, typer.Argument(help="The Zarr to write, with its datasheet.")],
    title: Annotated[str, typer.Option(help="What it is called.")] = "Labelled squash sessions",
    version: Annotated[str, typer.Option(help="Of the data set.")] = "1.0",
    licence: Annotated[str, typer.Option(help="How it may be used.")] = "CC BY-NC 4.0",
    creator: Annotated[str, typer.Option(help="Who is cited.")] = "the squashlib contributors",
) -> None:
    """Export consented, labelled sessions under pseudonyms, to be cited in a paper."""
    terms = {"title": title, "version": version, "licence": licence, "creator": creator}
    _command("dataset", target=out, terms=terms)


def _command(name: str, **arguments: Any) -> None:
    """Run what the platform registered under `name`."""
    from importlib.metadata import entry_points

    registered = list(entry_points(group="squash.commands", name=name))
    if not registered:
        raise fail(f"'{name}' is not registered in this installation; install the project anew", 1)
    try:
        raise typer.Exit(registered[0].load()(**arguments))
    except _unreadable() as error:
        raise fail(_reason(error), 1) from error


def main() -> None:
    """Entry point of the `squash` command."""
    app()
