"""Files that reports share, by name; and reports that carry them along."""


def report_asset(name: str) -> bytes:
    """`plotly.min.js`, `report.js` or `report.css`; raises `FileNotFoundError` for others."""
    from squashlib.report import asset

    return asset(name)


def standalone(html: str) -> str:
    """A report's page with those files in it, so that it works alone and offline."""
    from squashlib.report import with_assets

    return with_assets(html, "/static")
