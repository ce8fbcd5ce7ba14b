"""Sets one page description as PDF and ends: standard input -> standard output. Root.

A child of the program that serves pages, one for each print: the typesetter keeps 90 MB for as long
as its process lives, cannot be stopped from within, and a fault of it must not end the server.
Exit codes: 0 done, 3 no font (standard error says what to install), anything else a fault.

The templates are files of ours; what is printed reaches them as data (`sys.inputs`), which typst
shows letter by letter: nothing in it can become markup, a file or a program. Fonts come from the
folders of Debian's packages alone. Source: typst.app/docs, "Data Loading", "sys".
"""

import json
import sys
from pathlib import Path

import typst

TEMPLATES_FOLDER = Path(__file__).parent / "typ"
# Either has Latin letters and Chinese: fonts-wqy-microhei (5 MB; Apache-2.0 or GPL-3 with the font
# exception, of which only the glyphs that are used go into a file), fonts-noto-cjk (OFL-1.1).
FONT_FOLDERS = ("/usr/share/fonts/truetype/wqy", "/usr/share/fonts/opentype/noto")
FAMILIES = ("WenQuanYi Micro Hei", "Noto Sans CJK SC")
NO_FONT = 3


def main() -> int:
    """Set what standard input describes; return the exit code."""
    asked = json.load(sys.stdin)
    fonts = typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[folder for folder in FONT_FOLDERS if Path(folder).is_dir()],
    )
    families = [family for family in FAMILIES if family in fonts.families()]
    if not families:
        print("no Chinese font is installed", file=sys.stderr)  # noqa: T201 - for the parent.
        return NO_FONT
    compiler = typst.Compiler(
        (TEMPLATES_FOLDER / asked["template"]).read_bytes(),
        root=TEMPLATES_FOLDER,
        font_paths=fonts,
        sys_inputs={"data": json.dumps(asked["content"] | {"families": families})},
    )
    made = compiler.compile(format="pdf", timestamp=asked["printed_ms"] // 1000)
    assert isinstance(made, bytes)
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
