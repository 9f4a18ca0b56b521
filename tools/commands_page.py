"""Write docs/commands.md from the commands themselves: `python tools/commands_page.py > docs/commands.md`.

The house tests fail where a command or option is missing there, so run this after changing one.
"""

import argparse
import importlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from lapwing.cli.main import COMMANDS

HEAD = """# Commands

`lapwing COMMAND --help` says the same. Exit status everywhere: 0 done, 1 found faults, 2 bad usage or input. All times are ISO 8601 with
`Z`, event time. Distances to the border are positive outside, negative inside.
"""


def options(parser: argparse.ArgumentParser) -> list[str]:
    """Return a table row for each option and argument of a parser."""
    rows = []
    for action in parser._actions:
        if isinstance(action, (argparse._HelpAction, argparse._SubParsersAction)):
            continue
        value = action.metavar or (action.dest.upper() if action.nargs != 0 and action.option_strings else "")
        value = " ".join(value) if isinstance(value, tuple) else value
        name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.option_strings and value:
            name = f"{name} {value}"
        text = (action.help or "").replace("|", "\\|").replace("%%", "%").replace("%(default)s", str(action.default))
        rows.append("| `" + name.replace("|", "\\|") + f"` | {text} |")
    return ["| option | meaning |", "| --- | --- |", *rows, ""] if rows else []


def main() -> None:
    """Print the page."""
    lines = [HEAD]
    for name, (module_name, _) in COMMANDS.items():
        module = importlib.import_module(f"lapwing.cli.{module_name}")
        parser = argparse.ArgumentParser(prog=f"lapwing {name}")
        module.add_arguments(parser)
        lines += [f"## lapwing {name}", "", module.HELP, "", *options(parser)]
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for sub_name, sub in action.choices.items():
                    lines += [f"### lapwing {name} {sub_name}", "", sub.description or "", "", *options(sub)]
    print("\n".join(lines).rstrip())


if __name__ == "__main__":
    main()
