"""Files that reports share, by name."""


def report_asset(name: str) -> bytes:
    """`plotly.min.js`, `report.js` or `report.css`; raises `FileNotFoundError` for others."""
    from squashlib.report import asset

    return asset(name)
