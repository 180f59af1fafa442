"""What kernels leave to the garbage collector is collected by the file that left it, whose marks say that it may be."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def _collected() -> Iterator[None]:
    yield
    gc.collect()
