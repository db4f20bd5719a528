"""The known answers that tests/unit/test_kat.c reads are those that the other libraries give today."""
import pathlib
import subprocess
import sys

KAT = pathlib.Path(__file__).parents[1] / "kat"


def test_made_again_they_are_the_same(tmp_path):
    subprocess.run([sys.executable, str(KAT / "make.py"), str(tmp_path)], check=True)
    made = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert made == {path.name: path.read_bytes() for path in (KAT / "vectors").iterdir()}
    assert len(made) == 5
