"""The tool that makes the packs gives the same octets again."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_building_a_pack_again_gives_the_files_that_are_in_the_repository(shared, tmp_path):
    subprocess.run([sys.executable, str(ROOT / "tools/build_packs.py"), "--geo", str(shared / "data/geo"),
                    "--packs", str(tmp_path), "MD", "RS"], check=True, capture_output=True)
    for name in ("md/territory.geojson", "md/zones.geojson", "md/places.csv", "outlines/rs.geojson"):
        assert (tmp_path / name).read_bytes() == (ROOT / "packs" / name).read_bytes(), (
            f"{name} differs; run tools/build_packs.py and commit what it writes")
