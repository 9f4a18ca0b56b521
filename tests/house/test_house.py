"""The house keeps its own rules: who imports whom, how long a file is, what the manual names, what the repo may not hold."""

import importlib.util
import os
import re
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))


def tracked(*patterns: str) -> list[Path]:
    """Return the files that git tracks, or all where there is no git."""
    found = subprocess.run(["git", "ls-files", *patterns], cwd=ROOT, capture_output=True, text=True)
    if found.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / line for line in found.stdout.splitlines() if (ROOT / line).is_file()]


def test_imports_obey_the_contract(monkeypatch):
    from importlinter.cli import lint_imports

    monkeypatch.chdir(ROOT)
    monkeypatch.syspath_prepend(str(ROOT / "src"))
    assert lint_imports(cache_dir=None) == 0, "run `lint-imports` to see which import breaks which contract"


def test_no_script_or_module_is_longer_than_400_lines_without_saying_why():
    long = []
    for path in [*SOURCES, *(ROOT / "src").rglob("*.js"), *(ROOT / "tests").rglob("*.py")]:
        lines = path.read_text(encoding="utf-8").splitlines()
        if len(lines) > 420 and "Longer than 400 lines because" not in "\n".join(lines[:40]):
            long.append(f"{path.relative_to(ROOT)}: {len(lines)} lines")
    assert not long, "split these, or state the reason at the top: " + "; ".join(long)


@pytest.mark.skipif(os.environ.get("CI") != "true", reason="a user may lack what is optional")
def test_ci_lacks_no_library_without_which_tests_are_skipped():
    asked = {name for path in (ROOT / "tests").rglob("*.py")
             for name in re.findall(r'importorskip\("([\w.]+)"', path.read_text(encoding="utf-8"))}
    lacking = sorted(name for name in asked if importlib.util.find_spec(name.split(".")[0]) is None)
    assert len(asked) > 5 and not lacking, f"add to the test extra and its pins: {', '.join(lacking)}"


def test_help_answers_without_loading_anything_heavy():
    code = "import sys; from lapwing.cli.main import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n    pass\n" \
           "heavy = {'numpy', 'numba', 'shapely', 'pyarrow', 'fastapi', 'lxml', 'yaml'} & set(sys.modules)\n" \
           "sys.exit(str(sorted(heavy)) if heavy else 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, done.stderr


def test_every_command_has_its_module_and_is_in_the_manual():
    from lapwing.cli.main import COMMANDS

    manual = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name, (module, _) in COMMANDS.items():
        assert (ROOT / "src/lapwing/cli" / f"{module}.py").is_file(), f"lapwing {name}: no cli/{module}.py"
        assert f"## lapwing {name}\n" in manual, f"docs/commands.md has no section '## lapwing {name}'"


def test_every_option_of_every_command_is_in_the_manual():
    import argparse
    import importlib

    from lapwing.cli.main import COMMANDS

    manual = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    missing = []
    for name, (module, _) in COMMANDS.items():
        parser = argparse.ArgumentParser()
        importlib.import_module(f"lapwing.cli.{module}").add_arguments(parser)
        section = manual.split(f"## lapwing {name}\n", 1)[1].split("\n## lapwing ", 1)[0]
        parsers = [parser]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                parsers += list(action.choices.values())
        for each in parsers:
            for action in each._actions:
                for option in action.option_strings:
                    if option.startswith("--") and option != "--help" and f"`{option}" not in section:
                        missing.append(f"{name} {option}")
    assert not missing, f"docs/commands.md does not explain {sorted(set(missing))}"


def test_every_setting_of_judge_and_safety_net_is_in_the_manual():
    from lapwing.judge.settings import NetSettings, Settings

    manual = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [each.name for kind in (Settings, NetSettings) for each in fields(kind)
               if each.name not in ("net", "volumes") and f"| `{each.name}` |" not in manual]
    assert not missing, f"docs/settings.md does not explain {missing}"


def test_every_policy_setting_is_in_the_manual():
    from lapwing.country.pack import Policy

    manual = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    missing = [f.name for f in fields(Policy) if f"`{f.name}`" not in manual]
    assert not missing, f"docs/settings.md does not explain {missing}"


def test_nothing_in_the_repo_names_a_machine_or_a_registry():
    # Assembled here so that this file does not hold what it looks for.
    words = [r"/(?:work|farm)/(?:main|shared)\b", r"/home/[a-z]+/", "files\\.python" + "hosted", "pypi\\.org/" + "simple"]
    pattern = re.compile("|".join(words))
    found = []
    for path in tracked("*.py", "*.md", "*.toml", "*.txt", "*.js", "*.html", "*.css", "*.json", "*.yaml", ".ci/*", "run"):
        if path.stat().st_size > 2_000_000:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if pattern.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found, found


def test_changelog_fragments_are_named_and_say_something():
    kinds = "added|changed|fixed|removed|security"
    for path in (ROOT / "changes").glob("*"):
        if path.name == "README.md":
            continue
        assert re.fullmatch(rf"\d+(-[a-z0-9-]+)?\.({kinds})\.md", path.name), f"changes/{path.name}: NUMBER[-words].KIND.md"
        assert len(path.read_text(encoding="utf-8").strip()) > 20, f"changes/{path.name} says nothing"


def test_there_is_no_utils():
    assert not [p for p in SOURCES if re.search(r"(^|_)(utils?|helpers?|misc)(_|\.py$)", p.name)]


def test_pins_carry_hashes_and_no_address():
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, f"{path.name} names an address"
        pins = [line for line in text.splitlines() if re.match(r"^[a-z0-9]", line)]
        assert pins and text.count("--hash=sha256:") >= len(pins), f"{path.name}: a pin without hash"
