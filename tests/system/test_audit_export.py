"""What the gateway itself writes, plain and sealed to an auditor, also with its oldest file dropped, holds for the two verifiers that were
written from docs/spec/audit.md alone; of what was changed in it they say the same; and its proofs hold for who has only those."""

import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import audit_make, audit_spoil, audit_verify, parcel  # noqa: E402

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
        self.said = {word: [value for w, value in said if w == word] for word in ("anchor", "point", "seed", "pub", "proof", "later", "end")}
        self.anchors = self.said["anchor"] + self.said["point"]
        self.seeds = {int(seq): bytes.fromhex(seed) for seq, seed in (text.split(":") for text in self.said["seed"])}

    def aged(self):
        """The same half a year later."""
        log = Log(self.folder, [])
        log.said, log.seeds = self.said, self.seeds
        log.anchors = self.said["end"] + self.said["later"][::40] + self.said["later"][-1:]
        return log

    def ours(self, path, *more):
        options = [part for option, values in (("--anchor", self.anchors), ("--seed", self.said["seed"]), ("--pub", self.said["pub"]))
                   for value in values for part in (option, value)]
        out = subprocess.run([str(BUILD / "gatewayd-audit-verify"), *options, *more, str(path)], check=False, capture_output=True, text=True, timeout=60)
        return out.returncode, out.stdout + out.stderr

    def theirs(self, path, key=None):
        return audit_verify.verify(str(path), self.anchors, self.seeds.items(), self.said["pub"], key)


@pytest.fixture(scope="session", params=sorted(SUITES))
def log(request, writer, tmp_path_factory):
    folder = tmp_path_factory.mktemp("log-" + request.param)
    auditors = [f"gw-{name}-pub:" + audit_make.unpadded(parcel.public_of(kind, SECRET)) for name, kind in AUDITORS.items()]
    out = subprocess.run([writer, str(folder), str(SUITES[request.param]), "90", "20000", *auditors], check=True, capture_output=True, text=True).stdout
    log = Log(folder, [line.split() for line in out.splitlines()])
    assert len(list(folder.glob("audit-*.db"))) >= 2
    assert len(log.said["seed"]) == 2 and log.said["point"]
    assert not list(folder.glob("audit-*-1.db")) and len(log.said["end"]) == 1
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


def test_a_dropped_beginning_is_accounted_for(log):
    aged = log.aged()
    code, said = aged.ours(log.folder / "aged.gwa", "--json")
    assert code == 0, said
    assert aged.theirs(log.folder / "aged.gwa")[:3] == (0, 0, "none")
    assert json.loads(said)["first"] > 1


def test_both_say_the_same_of_what_was_changed(log, tmp_path):
    aged = log.aged()
    logs = [(given, audit_spoil.Read((log.folder / name).read_bytes(), log.seeds)) for given, name in ((log, "log.gwa"), (aged, "aged.gwa"))]
    path = tmp_path / "spoiled"
    for i in range(150):
        rnd = random.Random(SEED + i)
        which = 0 if i % 5 else 1
        given, read = logs[which]
        what, data, _ = audit_spoil.spoil(rnd, read, logs[1 - which][1])
        path.write_bytes(data)
        code, said = given.ours(path, "--json")
        theirs = given.theirs(path)
        said = json.loads(said)
        assert (code, said["first_bad"], said["check"], said["records"]) == theirs, f"seed {SEED + i}: {what}"
        assert code == 1 or data == audit_make.pack(read.items), f"seed {SEED + i}: {what}"


def test_its_proofs_hold(log, tmp_path):
    path = tmp_path / "proof.json"
    keys = [part for value in log.said["pub"] for part in ("--pub", value)]
    anchors = [part for value in log.said["point"] for part in ("--anchor", value)]

    def verdict(proof, *given):
        path.write_text(json.dumps(proof))
        return subprocess.run([str(BUILD / "gatewayd-audit-verify"), "--proof", str(path), *given], check=False, capture_output=True, timeout=60).returncode

    kinds = set()
    for proof in map(json.loads, log.said["proof"]):
        kinds.add(proof["proof"])
        assert verdict(proof, *keys, *anchors) == 0
        assert verdict(proof) == 2
        wrong = "leaf" if proof["proof"] == "inclusion" else "root"
        assert verdict({**proof, wrong: "00" * 32}, *keys, *anchors) == 1
        assert verdict({**proof, "path": proof["path"][1:]}, *keys) == 1
    assert kinds == {"inclusion", "consistency"}
