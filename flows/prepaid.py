"""Imported by the process that a rerun's workers are forked of: what each would pay for again is paid here once.

Its arithmetic is done by one thread, for workers stand beside each other, one to a core, and only a process without
threads can be forked. Nothing here opens a catalog or an object store.
"""

import os

from flows.warm import ONE_THREAD

os.environ.update(ONE_THREAD)  # read when numpy is first imported

import obstore  # noqa: F401

import squashlib
import store.migrations.upgrade  # noqa: F401
from flows import chunks, keys  # noqa: F401

_match = squashlib.simulate(0, rate_hz=10)
squashlib.analyse(_match.session, _match.points).to_dict()  # loads the kernels' machine code
keys.decoder_hash()
keys.explain_hash()
keys.detector_prints()
