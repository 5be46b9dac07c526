"""`python -m tests.browser.screenshots FOLDER` takes the screenshots of docs/report.md, from generated data."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.browser import chromium
from tests.browser.gallery import EXHIBITS


@dataclass(frozen=True, slots=True)
class View:
    """A screenshot of an exhibit's page, in pixels, from a section on."""

    exhibit: str
    picture: str
    width: int
    height: int
    scheme: str = "light"
    section: str = "outcome"


VIEWS = (
    View("three-labels", "report-three-labels.png", 860, 1120),
    View("thirty-labels", "report-thirty-labels.png", 860, 1320),
    View("thousand-labels", "report-thousand-labels.png", 860, 1480),
    View("thousand-labels", "report-phone.png", 390, 1000, "dark", "shares"),
    View("groups", "report-groups.png", 860, 860, "dark", "together"),
)


def main(folder: Path) -> int:
    browser = chromium.find_browser()
    if browser is None:
        print("No chromium found: apt-get install chromium, or set TWOFOLD_CHROMIUM.")  # noqa: T201
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as name:
        pages = {exhibit.name: exhibit.write_page(Path(name)) for exhibit in EXHIBITS}
        views = [
            {
                **asdict(view),
                "file": str(pages[view.exhibit]),
                "picture": str(folder.resolve() / view.picture),
            }
            for view in VIEWS
        ]
        chromium.run_script("shoot.mjs", json.dumps(views), browser=browser)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(*sys.argv[1:2] or ["docs/images"])))
