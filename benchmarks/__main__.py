"""Run every benchmark, or the one named; each prints `NAME ours=… peer=… ratio=…` lines."""

import importlib
import pkgutil
import sys
from pathlib import Path

NOT_TIMED = {"accuracy", "labelled_videos", "lines", "tennis_wrist"}


def main() -> int:
    names = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.name != "__main__" and not m.ispkg]
    names = [name for name in names if name not in NOT_TIMED]
    chosen = sys.argv[1:] or names
    if unknown := [name for name in chosen if name not in names]:
        print(f"no benchmark is called {unknown[0]!r}, must be one of {', '.join(names)}", file=sys.stderr)
        return 2
    for name in chosen:
        importlib.import_module(f"benchmarks.{name}").main()
    return 0


if __name__ == "__main__":
    sys.exit(main())
