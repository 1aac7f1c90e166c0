"""The gallery: small pictures of reproduced figures, and the page that shows them with their captions and tables.

    ehb reproduce all -o reproduced
    python docs/make_gallery.py reproduced

Takes every figure it finds in the directories, the full one where there is a quick one too, and replaces what the
gallery had of it; the page is written anew from all that the gallery holds. Without a directory only the page is.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from ehbilayer.papers import MODULES
from ehbilayer.papers.record import HEAD

DOCS = Path(__file__).parent
GALLERY, PAGE = DOCS / "images" / "gallery", DOCS / "gallery.md"
QUICK, QUICK_TITLE = "-quick", "(quick: coarse)"  # as `ehb reproduce` marks them
WIDTHS = (1100, 1000, 900, 800, 700, 600)  # pixels, the first one whose picture is small enough
LARGEST = 150_000  # bytes
COLOURS = 128
INTRODUCTION = """# Gallery: the published figures, computed again

Every figure of the papers that has been computed again, with its parameters, its conventions, and the published
numbers beside ours. [Reproduce](reproduce.md) explains the commands and the verdicts, [findings](findings.md) the
differences. Pictures are small here; the commands give them in full, as PNG and PDF.
"""


def collect(directory: Path, gallery: Path) -> list[str]:
    """Take pictures and captions of a directory of reproduced figures into the gallery; returns the ids taken.

    A quick figure is taken only where the gallery has no full one and the directory neither.
    """
    taken = []
    for name in MODULES:
        stem = name.replace(":", "-")
        for suffix in ("", QUICK):
            picture, caption = (directory / f"{stem}{suffix}{kind}" for kind in (".png", ".txt"))
            if picture.exists() and caption.exists():
                if suffix and (gallery / f"{stem}.txt").exists() and not is_quick(gallery / f"{stem}.txt"):
                    break
                shrink(picture, gallery / f"{stem}.png")
                (gallery / f"{stem}.txt").write_bytes(caption.read_bytes())
                taken.append(name)
                break
    return taken


def is_quick(caption: Path) -> bool:
    """Whether a caption belongs to a quick figure."""
    return caption.read_text(encoding="utf-8").splitlines()[0].endswith(QUICK_TITLE)


def shrink(source: Path, target: Path) -> None:
    """Write a picture of few colours, as wide as the limit in bytes allows. Raises ValueError if that is too narrow."""
    from PIL import Image

    with Image.open(source) as opened:
        image = opened.convert("RGB")
    for width in WIDTHS:
        height = round(image.height * width / image.width)
        small = image.resize((width, height), Image.Resampling.LANCZOS) if width < image.width else image
        small.quantize(COLOURS, dither=Image.Dither.NONE).save(target, optimize=True)
        if target.stat().st_size <= LARGEST:
            return
    raise ValueError(f"{source} takes {target.stat().st_size} bytes even {WIDTHS[-1]} pixels wide")


def page(gallery: Path) -> str:
    """The gallery's page, figures in the order of `ehb reproduce --list`."""
    entries = [entry(name, caption.read_text(encoding="utf-8")) for name in MODULES
               if (caption := gallery / f"{name.replace(':', '-')}.txt").exists()]
    return "\n".join([INTRODUCTION, *entries])


def entry(name: str, caption: str) -> str:
    """One figure: heading, command, picture, sentences, table, studies."""
    (head, source), sentences, rows, studies = (block.splitlines() for block in caption.strip().split("\n\n"))
    quick, coarse = (" --quick", " It is coarse.") if head.endswith(QUICK_TITLE) else ("", "")
    title = escaped(head.removeprefix(name).removesuffix(QUICK_TITLE).strip())
    time = studies.pop().removeprefix("wall time ")
    return "\n".join([
        f"## {name}: {title}", "", f"{source}. Computed by `ehb reproduce {name}{quick}` in {time}.{coarse}", "",
        f"![{name}: {title}](images/gallery/{name.replace(':', '-')}.png)", "",
        escaped("\n".join(sentences)), "", *table(rows), "", "```text", *studies, "```", ""])


def table(lines: list[str]) -> list[str]:
    """Markdown of a table whose columns stand below the words of its head."""
    starts = [lines[0].index(word, lines[0].index(HEAD[0])) for word in HEAD if re.search(rf"\b{word}\b", lines[0])]
    starts = sorted(set(starts))
    rows = [[escaped(line[a:b].strip()) for a, b in zip(starts, [*starts[1:], None], strict=True)] for line in lines]
    return [f"| {' | '.join(row)} |" for row in (rows[0], ["---"] * len(starts), *rows[1:])]


def escaped(text: str) -> str:
    """Text of a caption, in which no character means anything, as Markdown."""
    return re.sub(r"([\\*|<$\[\]`~])", r"\\\1", text)  # an underscore inside a word is one


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directories", nargs="*", type=Path, help="with figures of `ehb reproduce`")
    args = parser.parse_args()
    GALLERY.mkdir(parents=True, exist_ok=True)
    for directory in args.directories:
        sys.stdout.write(f"{directory}: {', '.join(collect(directory, GALLERY)) or 'no figures'}\n")
    PAGE.write_text(page(GALLERY), encoding="utf-8")
    missing = [name for name in MODULES if not (GALLERY / f"{name.replace(':', '-')}.png").exists()]
    sys.stdout.write(f"written: {PAGE}; not in the gallery: {', '.join(missing) or 'none'}\n")


if __name__ == "__main__":
    main()
