"""Writes the README's file tree: every module with the duty its first docstring line states.

python .ci/tree.py [--write]
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOP = {
    "catalog": "what can be worn",
    "tools": "what can be done; each is callable by a person, the agent, or another agent",
    "agent": "who decides",
    "ui": "every door a person uses",
}
INSIDE = {
    "croquis": "the illustrated world the embedded base learns",
    "starter": "the garments and seasons that come with it",
    "weights": "what training produced",
    "loras": "one trained LoRA per garment and season",
    "words": "what the embedded planner can read, by language",
    "pictures": "the README's pictures",
}
OTHER = {
    "instructions.md": "the system prompt, as prose",
    "chat.css": "how the page looks",
    "garment.css": "how the garment page looks",
    "pointing.js": "clicks and strokes in the picture, told in its own pixels",
}
END = """\
tests/                what must hold, by part, and the whole path in a browser
bench/                what is measured, and the table
.ci/run               from a bare Debian machine to a passed test run
requirements.lock     every package pinned and hashed (make lock)"""


def duty(module: Path) -> str:
    text = ast.get_docstring(ast.parse(module.read_text())) or ""
    text = text.split("\n\n")[0].replace("\n", " ").replace("`", "").strip().rstrip(".")
    text = text.split(". ")[0].split("; ")[0]
    return text if len(text) <= 88 else text[:88].rsplit(" ", 1)[0] + " …"


def modules(folder: Path, indent: str, width: int) -> list[str]:
    found = [p for p in sorted(folder.glob("*.py")) if p.read_text().strip()]
    return [f"{indent}{p.name + ' ':<{width}}{duty(p)}" for p in found]


def tree() -> str:
    lines = []
    for name, what in TOP.items():
        folder = ROOT / name
        lines += [f"{name + '/':<22}{what}", *modules(folder, "  ", 20)]
        for inner in sorted(p for p in folder.iterdir() if p.is_dir() and p.name in INSIDE):
            lines += [f"  {inner.name + '/':<20}{INSIDE[inner.name]}", *modules(inner, "    ", 18)]
        others = [p.name for p in sorted(folder.iterdir()) if p.name in OTHER]
        lines += [f"  {other:<20}{OTHER[other]}" for other in others]
    return "\n".join([*(line.rstrip() for line in lines), END])


def main() -> None:
    readme = ROOT / "README.md"
    before, after = readme.read_text().split("## The house", 1)
    intro, _, rest = after.split("```", 2)
    if "--write" in sys.argv:
        readme.write_text(f"{before}## The house{intro}```\n{tree()}\n```{rest}")
    else:
        print(tree())


if __name__ == "__main__":
    main()
