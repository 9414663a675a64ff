import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ORDER = ("catalog", "tools", "agent", "ui")
FILES = sorted(p for layer in ORDER for p in (ROOT / layer).rglob("*.py"))


def _imported(tree: ast.AST) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_one_way(path):
    layer = ORDER.index(path.relative_to(ROOT).parts[0])
    above = _imported(ast.parse(path.read_text())) & set(ORDER[layer + 1 :])
    assert not above, f"{path.name} may not import {above}"


@pytest.mark.parametrize("layer", ORDER[:-1])
def test_nothing_below_ui_reads_a_setting(layer):
    for path in (ROOT / layer).rglob("*.py"):
        text = path.read_text()
        assert not re.search(r"os\.(environ|getenv)\b.*(STYLIST|OPENAI)", text), path
        assert not re.search(r"[\"']STYLIST_[A-Z]", text), path


def test_every_file_has_a_duty():
    for path in FILES:
        text = path.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), path


def test_the_readmes_tree_names_every_file_and_no_other():
    tree = (ROOT / "README.md").read_text().split("## The house")[1].split("```")[1]
    named = set(re.findall(r"\b([a-z_0-9]+\.py)\b", tree))
    there = {p.name for p in FILES if p.read_text().strip()}
    assert named == there


def test_pickles_have_no_door():
    for path in FILES:
        text = path.read_text()
        assert "import pickle" not in text and "trust_remote_code=True" not in text, path
        assert "weights_only=False" not in text, path
