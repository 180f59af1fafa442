"""Notebooks run in warm kernels: each once, without secrets, within limits, and what fails is kept and told."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import nbformat
import pytest

import squashlib
from flows import process, walls, warm
from flows.forked import CAN_FORK, Zygote
from flows.render import NotebookFailedError, render
from flows.warm import Pool
from flows.work import work_off
from squashlib.errors import SquashError
from store import Settings, Store, jobs
from store.tables import Job, SessionRow, User, now
from tests import processes
from tests.services import PATIENCE_S

# jupyter_client leaves the sockets of a killed kernel to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:Could not destroy"
)
Notebook = Callable[[str], str]
KERNEL = {"name": "python3", "display_name": "Python", "language": "python"}


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    """Makes a notebook of one cell; its parameter is `x`."""

    def make(code: str) -> str:
        made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
        parameters = nbformat.v4.new_code_cell("x = 0", metadata={"tags": ["parameters"]})
        made.cells = [parameters, nbformat.v4.new_code_cell(code)]
        name = uuid.uuid4().hex
        nbformat.write(made, tmp_path / f"{name}.ipynb")
        return name

    monkeypatch.setattr("flows.render.NOTEBOOKS", tmp_path)
    return make


@pytest.fixture(scope="module")
def pool() -> Iterator[Pool]:
    """Kernels that may hold half a gigabyte more than what they share."""
    made = Pool(2, memory_bytes=1 << 30)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _that_pool(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warm, "POOL", pool)


def settled(pool: Pool) -> None:
    """All kernels that shall wait do."""
    pool.fill()
    for waiting in list(pool._waiting):
        waiting.result()


def told(name: str, **limits: int) -> str:
    with pytest.raises(NotebookFailedError) as failure:
        render(name, {"x": 1}, assets="/static", **limits)
    assert b"papermill-error-cell" in failure.value.notebook, "the failed cell is marked"
    return str(failure.value)


def test_unknown_parameters_are_refused_before_the_run(notebook: Notebook) -> None:
    with pytest.raises(ValueError, match="no parameter 'y'"):
        render(notebook("1"), {"y": 1}, assets="/static")


def test_two_at_a_time_each_in_a_kernel_of_its_own(notebook: Notebook) -> None:
    name = notebook("import os\nseen = 'mine' in globals()\nmine = x\nprint('pid', os.getpid(), seen, x)")
    with ThreadPoolExecutor(2) as hands:
        pages = list(hands.map(lambda x: render(name, {"x": x}, assets="/static"), range(6)))
    lines = [page.split("pid ")[1].split("\n")[0].split() for page in pages]
    assert len({pid for pid, *_ in lines}) == 6, "a kernel is used once"
    assert [(seen, x) for _, seen, x in lines] == [("False", str(x)) for x in range(6)]


def test_kernels_draw_different_numbers(notebook: Notebook) -> None:
    name = notebook("import random, numpy as np\nprint('drawn', random.random(), np.random.rand())")
    drawn = [render(name, {"x": x}, assets="/static").split("drawn ")[1].split("\n")[0].split() for x in range(2)]
    assert not set(drawn[0]) & set(drawn[1])


def test_a_cell_that_raises_fails_the_run_with_its_error(notebook: Notebook) -> None:
    assert "failed in cell 2: ZeroDivisionError: division by zero" in told(notebook("1 / 0"))


def test_a_cell_that_takes_too_long_is_ended(notebook: Notebook) -> None:
    assert "after 1 seconds" in told(notebook("while True: pass"), time_limit_s=1)


def test_a_cell_that_takes_too_much_memory_fails_alone(notebook: Notebook) -> None:
    assert "MemoryError" in told(notebook("import numpy as np\nnp.ones(4 << 27)"))


def test_a_cell_that_ends_its_kernel_fails_the_run(notebook: Notebook) -> None:
    assert "Kernel died" in told(notebook("import os\nos._exit(9)"))


@pytest.mark.skipif(not CAN_FORK, reason="needs Linux")
def test_a_dead_kernel_is_replaced_and_a_dead_zygote_too(notebook: Notebook, pool: Pool) -> None:
    name = notebook("print('here', x)")
    settled(pool)
    assert pool.zygote is not None
    assert pool.zygote._process is not None
    os.kill(pool.zygote._process.pid, signal.SIGKILL)
    for waiting in pool._waiting:  # they die with it, but not at once
        waiting.result().provisioner.process.wait()
    assert "here 5" in render(name, {"x": 5}, assets="/static")
    manager = pool._waiting[0].result()
    manager.provisioner.process.kill()
    manager.provisioner.process.wait()
    assert "here 6" in render(name, {"x": 6}, assets="/static")


@pytest.mark.skipif(not CAN_FORK, reason="needs Linux")
def test_when_a_zygotes_owner_ends_no_kernel_outlives_it_and_no_folder(tmp_path: Path) -> None:
    zygote, folders = Zygote(warm.scrubbed_environment()), [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
    kernels = [
        zygote.fork({"connection_file": f"{folder}/k.json", "folder": str(folder), "memory_bytes": 1 << 30})
        for folder in folders
    ]
    assert [kernel.poll() for kernel in kernels] == [None, None]
    process = zygote._process
    assert process is not None
    assert zygote._connection is not None
    zygote._connection.close()
    process.wait(PATIENCE_S)
    assert [kernel.poll() for kernel in kernels] == [0, 0]
    assert not list(tmp_path.iterdir())
    zygote.close()


@pytest.mark.slow
@pytest.mark.skipif(not CAN_FORK, reason="needs Linux")
def test_where_kernels_cannot_be_forked_they_start_by_themselves(
    notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(warm, "POOL", alone := Pool(1, memory_bytes=1 << 30, fork=False))
    try:
        assert "here 7" in render(notebook("print('here', x)"), {"x": 7}, assets="/static")
        assert "MemoryError" in told(notebook("import numpy as np\nnp.ones(4 << 27)"))
    finally:
        alone.close()


def test_a_kernel_sees_no_secret_and_leaves_no_file(
    notebook: Notebook, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(pool)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(warm, "ROOM", str(tmp_path))
    monkeypatch.setenv("SQUASH_SECRET_KEY", "a-secret")
    monkeypatch.setenv("SQUASH_DATABASE_URL", "postgresql://u:a-secret@h/d")
    earlier = processes.own()
    monkeypatch.setattr(warm, "POOL", fresh := Pool(2))
    page = render(notebook("import os\nprint(dict(os.environ))"), {}, assets="/static")
    fresh.close()
    assert "PATH" in page
    assert "a-secret" not in page
    assert not processes.survivors(processes.started_since(earlier))
    assert not list(tmp_path.glob("squash-*"))


def test_a_kernel_finds_its_data_and_reaches_no_other_kernel(notebook: Notebook, pool: Pool, tmp_path: Path) -> None:
    settled(pool)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mine").write_text("my match")
    folders = {str(Path(waiting.result().ip).parent) for waiting in pool._waiting}
    code = f"""
import socket
from pathlib import Path
print('mine:', Path('data/mine').read_text())
reached = []
for folder in {sorted(folders)} + [{str(tmp_path)!r}]:
    if Path.cwd() == Path(folder):
        continue
    for attempt in (
        lambda: Path(folder, 'kernel.json').read_text(),
        lambda: list(Path(folder).iterdir()),
        lambda: socket.socket(socket.AF_UNIX).connect(folder + '/socket-1'),
    ):
        try:
            reached.append(attempt())
        except OSError:
            pass
print('reached', reached)
"""
    page = render(notebook(code), {}, assets="/static", data=partial(shutil.copytree, tmp_path / "data"))
    assert "mine: my match" in page
    assert "reached []" in page or walls.strength() < walls.ENOUGH
    assert (tmp_path / "data" / "mine").exists(), "a copy, so that a second run finds it too"


@pytest.mark.slow
def test_a_failed_report_fails_its_job_and_keeps_its_notebook(notebook: Notebook, tmp_path: Path) -> None:
    store = Store.open(Settings(home=tmp_path / "home"))
    squashlib.write_fit(squashlib.simulate(6, rate_hz=10, sensors=("heart_rate",)).session, tmp_path / "m.fit")
    with store.catalog.begin() as tx:
        tx.add(User(user_id="u", email="u@example.org"))
        tx.flush()
        tx.add(SessionRow(session_id="s", user_id="u", start_time=now()))
        tx.flush()
        store.uploads.receive(tx, "s", "u", "file", (tmp_path / "m.fit").read_bytes())
        job_id = jobs.enqueue(tx, "process", "s", "u").job_id
    broken = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    first = nbformat.v4.new_code_cell("analysis_path = ''", metadata={"tags": ["parameters"]})
    broken.cells = [first, nbformat.v4.new_code_cell("raise OSError('no ink')")]
    nbformat.write(broken, tmp_path / f"{process.NOTEBOOK}.ipynb")
    assert work_off(store, job_id) == "failed"
    with store.catalog.look() as tx:
        error = str(tx.get_one(Job, job_id).error)
    assert "failed in cell 2: OSError: no ink" in error
    assert b"papermill-error-cell" in store.blobs.get(error.split("kept as ")[1])
    assert store.sessions.analysis("s").document["metrics"], "insights are there all the same"
    with pytest.raises(SquashError, match="no report"):
        store.reports.get("s")


@pytest.mark.skipif(not CAN_FORK, reason="kernels are not forked here")
def test_a_kernel_that_waits_shares_nearly_all_its_memory(pool: Pool) -> None:
    manager = pool.take()
    try:
        told = Path(f"/proc/{manager.provisioner.pid}/smaps_rollup").read_text()
    finally:
        pool.end(manager)
    held = {name: int(rest.split()[0]) for name, _, rest in (line.partition(":") for line in told.splitlines()[1:])}
    assert held["Rss"] > 100_000, "what it imported is there"
    assert held["Private_Dirty"] < 30_000, "kB of its own, most of them by what is made after the fork"


WARM_WORKER = """
import sys
from flows import worker
sys.modules.update(dict.fromkeys(worker.UNNEEDED))
worker.warm_up()
print(*(name for name in ("numpy", "pandas", "xarray", "numba", "boto3", "pyarrow") if sys.modules.get(name)))
"""


@pytest.mark.skipif(not CAN_FORK, reason="the worker does all itself here")
def test_the_worker_holds_neither_what_its_forks_compute_with_nor_clients_of_clouds() -> None:
    done = subprocess.run([sys.executable, "-c", WARM_WORKER], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
