"""What the gateway itself writes, plain and sealed to an auditor, holds for the two verifiers that were written from docs/spec/audit.md alone;
and of a few bytes that were changed in it they say the same."""

import os
import pathlib
import random
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import audit_make, audit_verify, parcel  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("GW_BUILD") or ROOT / "build/release")
LIBRARIES = ["-luv", "-lsqlite3", "-lsodium", "-lssl", "-lcrypto", "-lyaml", "-ljansson", "-lseccomp", "-lm", "-pthread"]
FOLDERS = ("base", "sys", "model", "vault", "audit")
SUITES = {"sha256": 0, "sm": 1}
SECRET = b"auditor" * 4 + b"test"
AUDITORS = {"x25519": 1, "sm2": 2}  # number in a parcel's head
SEED = int(os.environ.get("GW_SEED", "20261123"))


@pytest.fixture(scope="session")
def writer(tmp_path_factory):
    exe = tmp_path_factory.mktemp("audit") / "audit_writer"
    sources = [str(p) for folder in FOLDERS for p in sorted((ROOT / "gatewayd" / folder).glob("*.c"))]
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O1", '-DGW_VERSION="test"', "-I", str(ROOT / "gatewayd"), "-o", str(exe),
                    str(ROOT / "tests/lib/audit_writer.c"), *sources, *LIBRARIES], check=True)
    return str(exe)


class Log:
    def __init__(self, folder, said):
        self.folder = folder
        self.said = {word: [value for w, value in said if w == word] for word in ("anchor", "point", "seed", "pub")}

    def ours(self, path, *more):
        options = [part for word, option in (("anchor", "--anchor"), ("point", "--anchor"), ("seed", "--seed"), ("pub", "--pub"))
                   for value in self.said[word] for part in (option, value)]
        out = subprocess.run([str(BUILD / "gatewayd-audit-verify"), *options, *more, str(path)], check=False, capture_output=True, text=True, timeout=60)
        return out.returncode, out.stdout + out.stderr

    def theirs(self, path, key=None):
        seeds = [(int(seq), bytes.fromhex(seed)) for seq, seed in (text.split(":") for text in self.said["seed"])]
        return audit_verify.verify(str(path), self.said["anchor"] + self.said["point"], seeds, self.said["pub"], key)


@pytest.fixture(scope="session", params=sorted(SUITES))
def log(request, writer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("log-" + request.param)
    auditors = [f"gw-{name}-pub:" + audit_make.unpadded(parcel.public_of(kind, SECRET)) for name, kind in AUDITORS.items()]
    out = subprocess.run([writer, str(folder), str(SUITES[request.param]), "90", "20000", *auditors], check=True, capture_output=True, text=True).stdout
    log = Log(folder, [line.split() for line in out.splitlines()])
    assert len(list(folder.glob("audit-*.db"))) >= 2
    assert len(log.said["seed"]) == 2 and log.said["point"]
    return log


def test_both_find_what_the_gateway_wrote_sound(log):
    assert log.ours(log.folder / "log.gwa")[0] == 0, log.ours(log.folder / "log.gwa")[1]
    assert log.theirs(log.folder / "log.gwa")[:3] == (0, 0, "none")


def test_both_open_what_was_sealed_to_the_auditor(log, tmp_path):
    for n, name in enumerate(AUDITORS, 1):
        key = f"gw-{name}-key:" + audit_make.unpadded(SECRET)
        (tmp_path / "key").write_text(key + "\n")
        code, said = log.ours(log.folder / f"log.{n}", "--key", str(tmp_path / "key"))
        assert code == 0, said
        assert log.theirs(log.folder / f"log.{n}", key)[:3] == (0, 0, "none")


def test_no_page_is_in_the_clear(log):
    for path in log.folder.glob("audit-*"):
        for word in (b"anna", b"192.0.2.7", b"plain words", b"CREATE TABLE", b"SQLite format"):
            assert word not in path.read_bytes(), (path, word)


def test_both_say_the_same_of_changed_bytes(log, tmp_path):
    rnd = random.Random(SEED)
    sound = (log.folder / "log.gwa").read_bytes()
    for _ in range(60):
        at = rnd.randrange(8, len(sound))
        spoiled = sound[:at] + bytes([sound[at] ^ 1 << rnd.randrange(8)]) + sound[at + 1:]
        (tmp_path / "spoiled").write_bytes(spoiled)
        code, said = log.ours(tmp_path / "spoiled", "--json")
        theirs = log.theirs(tmp_path / "spoiled")
        assert code == theirs[0], (at, said, theirs)
        assert f'"first_bad":{theirs[1]}' in said.replace(" ", ""), (at, said, theirs)
