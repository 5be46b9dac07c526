"""Manifests for demanding reports: few labels, many labels, groups, and hostile names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from pathlib import Path
from random import Random

from tests.support.job import make_line
from twofold_command.main import run_command

_SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "ra", "se", "ti", "vo", "zu")
_WORDS = [a + b + c for a, b, c in product(_SYLLABLES, repeat=3)]
HOSTILE = (
    "<script>window.harmed = true</script>",
    '"><img src=x onerror="window.harmed = true">',
    "</style></script><h1>broken out</h1>",
    "abc\u202egnp.exe",
    "tab\there\x00\x1b[31m",
    "x" * 250,
    "long words " * 20,
    "家族 👨\u200d👩\u200d👧",
    "&amp; 'quoted'",
)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """A manifest: up to `max_labels` labels an image, the n-th with a weight of 1/n**skew, and `groups` of images if any."""

    name: str
    labels: Sequence[str]
    images: int
    max_labels: int
    skew: float = 1.0
    groups: int = 0

    def generate_lines(self) -> Iterator[str]:
        random = Random(self.name)
        weights = list(accumulate((n + 1) ** -self.skew for n in range(len(self.labels))))
        for number in range(self.images):
            count = random.randint(0 if number % 20 == 0 else 1, self.max_labels)
            drawn = dict.fromkeys(random.choices(self.labels, cum_weights=weights, k=count))
            folder = f"video-{random.randrange(self.groups):03d}" if self.groups else "images"
            yield make_line(f"{folder}/{number:05d}", *drawn)

    def write_page(self, folder: Path) -> Path:
        """Split the manifest and return the path of the page."""
        out = folder / self.name
        manifest = folder / f"{self.name}.manifest"
        manifest.write_text(
            "".join(f"{line}\n" for line in self.generate_lines()), encoding="utf-8"
        )
        grouped = ("--group-by", "/(video-[0-9]+)/") if self.groups else ()
        assert run_command(["split", str(manifest), "-o", str(out), *grouped, "--json"]) == 0
        return out / "report.html"


EXHIBITS = (
    Exhibit("three-labels", ("cat", "dog", "rabbit"), 900, 1, 0.6),
    Exhibit("thirty-labels", _WORDS[100:130], 2_400, 4),
    Exhibit("thousand-labels", _WORDS, 12_000, 4, 0.85),
    Exhibit("groups", _WORDS[300:308], 1_200, 2, 0.8, groups=150),
)
HOSTILE_EXHIBIT = Exhibit("hostile", HOSTILE, 200, 3)
