"""Two verifiers of the audit log, ours in C and one in Python written from docs/spec/audit.md alone, say the same of the same log: of a
sound one, of its export, and of some hundred that were edited, by rows and by raw bytes."""

import glob
import os
import pathlib
import random
import shutil
import sqlite3
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import audit_verify  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
LIBRARIES = ["-luv", "-lsqlite3", "-lsodium", "-lssl", "-lcrypto", "-lyaml", "-ljansson", "-lseccomp", "-lm", "-pthread"]
SUITES = {"sha256": 0, "sm3": 1}
SEED = int(os.environ.get("GW_SEED", "20261123"))


@pytest.fixture(scope="session")
def writer(tmp_path_factory):
    exe = tmp_path_factory.mktemp("audit") / "audit_writer"
    sources = [str(p) for folder in ("base", "sys", "model", "audit") for p in sorted((ROOT / "gatewayd" / folder).glob("*.c"))]
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O1", '-DGW_VERSION="test"', "-I", str(ROOT / "gatewayd"), "-o", str(exe),
                    str(ROOT / "tests/lib/audit_writer.c"), *sources, *LIBRARIES], check=True)
    return str(exe)


def ours(writer, folder, anchor=None):
    out = subprocess.run([writer, "verify", str(folder)] + ([anchor] if anchor else []), check=True, capture_output=True, text=True).stdout
    result, bad, records, *_ = out.split()
    return int(result), int(bad), int(records)


def theirs(path, anchor=None):
    code, records, bad, _ = audit_verify.verify(str(path), [audit_verify.pair(anchor)] if anchor else [])
    return code, bad, records


@pytest.fixture(scope="session", params=sorted(SUITES))
def log(request, writer, tmp_path_factory):
    """(folder, anchor): some segments of some records each."""
    folder = tmp_path_factory.mktemp("log-" + request.param)
    head = subprocess.run([writer, "write", str(folder), str(SUITES[request.param]), "90", "6000"], check=True, capture_output=True, text=True).stdout.strip()
    assert len(glob.glob(str(folder / "audit-*.db"))) >= 3
    return folder, head


def test_a_sound_log_is_sound_to_both(writer, log):
    folder, anchor = log
    records = int(anchor.split(":")[0])
    assert ours(writer, folder, anchor) == (0, 0, records)
    assert theirs(folder, anchor) == (0, 0, records)
    assert ours(writer, folder) == (2, 0, records)
    assert theirs(folder) == (2, 0, records)
    assert theirs(folder / "log.gwa", anchor) == (0, 0, records)
    wrong = anchor[:-1] + ("0" if anchor[-1] != "0" else "1")
    assert ours(writer, folder, wrong)[:2] == theirs(folder, wrong)[:2] == (1, records)
    ahead = f"{records + 1}:{'00' * 32}"
    assert ours(writer, folder, ahead)[:2] == theirs(folder, ahead)[:2] == (1, records + 1)


def test_the_command_says_it_by_its_exit_code(log):
    folder, anchor = log
    tool = [sys.executable, str(ROOT / "tests/lib/audit_verify.py"), str(folder)]
    assert subprocess.run([*tool, "--anchor", anchor], check=False).returncode == 0
    assert subprocess.run(tool, check=False).returncode == 2
    assert subprocess.run([*tool, "--end", "3:" + "00" * 32], check=False).returncode == 1
    assert subprocess.run([*tool[:2], str(folder / "nothing")], check=False).returncode == 2


def rows_of(path):
    db = sqlite3.connect(path)
    try:
        return [seq for (seq,) in db.execute("SELECT seq FROM audit")]
    finally:
        db.close()


def edit_rows(rnd, path):
    """One change behind the triggers' back; they are put back afterwards."""
    seqs = rows_of(path)
    a, b = rnd.sample(seqs, 2)
    ways = [
        ("DELETE FROM audit WHERE seq=?", [a]),
        ("DELETE FROM audit WHERE seq>=?", [a]),
        ("UPDATE audit SET seq=seq+1000 WHERE seq=?", [a]),
        ("UPDATE audit SET rec=(SELECT rec FROM audit WHERE seq=?) WHERE seq=?", [a, b]),
        ("UPDATE audit SET head=randomblob(32) WHERE seq=?", [a]),
        ("UPDATE audit SET head=randomblob(31) WHERE seq=?", [a]),
        ("UPDATE audit SET mac=x'00' WHERE seq=?", [a]),
        ("UPDATE audit SET rec=substr(rec, 1, length(rec)-1) WHERE seq=?", [a]),
        ("UPDATE audit SET rec=CAST(rec||x'00' AS BLOB) WHERE seq=?", [a]),
        ("UPDATE audit SET rec=x'' WHERE seq=?", [a]),
        ("INSERT INTO audit SELECT (SELECT max(seq)+1 FROM audit), rec, head, NULL FROM audit WHERE seq=?", [a]),
        ("INSERT INTO audit SELECT -5, rec, head, NULL FROM audit WHERE seq=?", [a]),
        ("INSERT INTO checkpoint(number, body) VALUES(1, x'00')", []),
        ("PRAGMA user_version=7", []),
        ("CREATE TABLE other(x)", []),
    ]
    sql, args = rnd.choice(ways)
    db = sqlite3.connect(path, isolation_level=None)
    triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger' ORDER BY rowid").fetchall()
    db.execute("BEGIN")
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    db.execute(sql, args)
    for _, text in triggers:
        db.execute(text)
    db.execute("COMMIT")
    db.close()
    return sql


def edit_record_byte(rnd, path):
    db = sqlite3.connect(path, isolation_level=None)
    triggers = db.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger' ORDER BY rowid").fetchall()
    seq = rnd.choice([s for (s,) in db.execute("SELECT seq FROM audit")])
    rec = bytearray(db.execute("SELECT rec FROM audit WHERE seq=?", [seq]).fetchone()[0])
    at = rnd.randrange(len(rec))
    rec[at] ^= rnd.randrange(1, 256)
    for name, _ in triggers:
        db.execute(f"DROP TRIGGER {name}")
    db.execute("UPDATE audit SET rec=? WHERE seq=?", [bytes(rec), seq])
    for _, text in triggers:
        db.execute(text)
    db.close()
    return f"byte {at} of record {seq}"


def edit_files(rnd, folder):
    names = sorted(glob.glob(str(folder / "audit-*.db")))
    a, b = rnd.sample(names, 2)
    way = rnd.randrange(3)
    if way == 0:
        os.unlink(a)
    elif way == 1:
        os.rename(a, a + "x")
        os.rename(b, a)
        os.rename(a + "x", b)
    else:
        shutil.copy(a, folder / "audit-202612-99.db")
    return f"files {way}: {os.path.basename(a)} {os.path.basename(b)}"


def test_both_find_every_edit_at_the_same_place(writer, log, tmp_path):
    folder, anchor = log
    for i in range(200):
        rnd = random.Random(SEED + i)
        copy = tmp_path / str(i)
        shutil.copytree(folder, copy)
        paths = sorted(glob.glob(str(copy / "audit-*.db")))
        edit = rnd.randrange(10)
        if edit == 0:
            what = edit_files(rnd, copy)
        elif edit < 5:
            what = edit_record_byte(rnd, rnd.choice(paths))
        else:
            what = edit_rows(rnd, rnd.choice(paths))
        end = theirs(copy, anchor)
        # What is added after the anchor in good form is not found by an anchor; nothing here is in good form.
        assert end[0] == 1, f"seed {SEED + i}: {what}: {end}"
        assert ours(writer, copy, anchor)[:2] == end[:2], f"seed {SEED + i}: {what}"
        shutil.rmtree(copy)


def test_an_edited_export_is_found(log, tmp_path):
    folder, anchor = log
    data = (folder / "log.gwa").read_bytes()
    for i in range(500):
        rnd = random.Random(SEED + i)
        bad = bytearray(data)
        if i % 5 == 0:
            del bad[rnd.randrange(len(bad)):]
        else:
            bad[rnd.randrange(len(bad))] ^= rnd.randrange(1, 256)
        path = tmp_path / "bad.gwa"
        path.write_bytes(bytes(bad))
        assert theirs(path, anchor)[0] == 1, f"seed {SEED + i}"
