"""Two verifiers of exports, gatewayd-audit-verify in C and tests/lib/audit_verify.py, each written from docs/spec/audit.md alone, say the same
of the same export: of sound ones and of hundreds that were spoiled, by the record, by the checkpoint and by the byte. The exports are
made by tests/lib/audit_make.py, a third reading of the same page.

GW_MUTATIONS says how many (300), GW_SEED which."""

import functools
import json
import os
import pathlib
import random
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib import audit_make, audit_spoil, audit_verify, curves, parcel  # noqa: E402

ROOT = pathlib.Path(__file__).parents[2]
BUILD = pathlib.Path(os.environ.get("GW_BUILD") or ROOT / "build/release")
SEED = int(os.environ.get("GW_SEED", "20261123"))
MUTATIONS = int(os.environ.get("GW_MUTATIONS", "300"))
AUDITOR = {"x25519": "gw-x25519-key:" + audit_make.unpadded(b"auditor" * 4 + b"test"), "sm2": "gw-sm2-key:" + audit_make.unpadded(b"auditor" * 4 + b"test")}


def tool(*args):
    return subprocess.run([str(BUILD / "gatewayd-audit-verify"), *map(str, args)], check=False, capture_output=True, text=True, timeout=60)


class Given:
    """What a verifier is told besides the export."""

    def __init__(self, log, rnd=None):
        self.anchors = [log.anchor_at_end(), *log.anchors]
        self.seeds = dict(log.seeds)
        self.keys = [audit_make.KEYS[kind] for kind in log.signers]
        if rnd:
            self.anchors = [a for a in self.anchors if rnd.random() < 0.4]
            self.seeds = {seq: seed for seq, seed in self.seeds.items() if rnd.random() < 0.7}
            self.keys = [key for key in self.keys if rnd.random() < 0.7]

    def options(self):
        for name, values in (("--anchor", self.anchors), ("--pub", self.keys), ("--seed", (f"{n}:{seed.hex()}" for n, seed in self.seeds.items()))):
            for value in values:
                yield from (name, value)

    def ours(self, path, *more):
        out = tool("--json", *self.options(), *more, path)
        assert out.stdout, out.stderr
        said = json.loads(out.stdout)
        return out.returncode, said["first_bad"], said["check"], said["records"]

    def theirs(self, path, key=None):
        return audit_verify.verify(str(path), self.anchors, self.seeds.items(), self.keys, key)


@functools.lru_cache(maxsize=8)
def log_of(seed):
    rnd = random.Random(seed)
    segments = rnd.randrange(1, 5)
    return audit_make.Log(rnd, records=rnd.randrange(20, 80), segments=segments, dropped=rnd.choice((0, 0, rnd.randrange(segments))),
                          signers=rnd.choice(((1,), (2,), (1, 2), (1, 2))))


def write(path, data):
    path.write_bytes(data)
    return path


def test_a_sound_export_is_sound_to_both(tmp_path):
    for seed in range(SEED, SEED + 30):
        log = log_of(seed)
        given = Given(log)
        path = write(tmp_path / "log.gwa", audit_make.pack(log.items))
        count = sum(kind == 1 for kind, _ in log.items)
        assert given.ours(path) == given.theirs(path) == (0, 0, "none", count), seed
        given.anchors = []
        assert given.ours(path) == given.theirs(path) == (2, 0, "none", count), seed


def test_both_find_every_change_at_the_same_place(tmp_path):
    checks = set()
    for i in range(MUTATIONS):
        rnd = random.Random(SEED + i)
        log, other = log_of(SEED + i // 25), log_of(SEED + 10**6 + i // 25)
        what, data, bad = audit_spoil.spoil(rnd, log, other, i)
        path = write(tmp_path / "bad.gwa", data)
        given = Given(log)
        verdict = given.theirs(path)
        assert given.ours(path) == verdict, f"seed {SEED + i}: {what}"
        assert verdict[0] == 1 or data == audit_make.pack(log.items), f"seed {SEED + i}: {what}: {verdict}"
        assert bad is None or verdict[1] == bad, f"seed {SEED + i}: {what}: {verdict}"
        checks.add(verdict[2])
        # Whoever was told less may not find it, but both find as much.
        given = Given(log, rnd)
        assert given.ours(path) == given.theirs(path), f"seed {SEED + i}, less given: {what}"
    if MUTATIONS >= 300:
        assert len(checks) >= 9, checks  # of eleven


def test_what_is_given_may_be_wrong(tmp_path):
    log = next(x for x in map(log_of, range(SEED, SEED + 99)) if x.seeds and len(x.signers) == 2 and x.items[2][1][4:12] == b"\1" + bytes(7))
    path = write(tmp_path / "log.gwa", audit_make.pack(log.items))
    seq, seed = next(iter(log.seeds.items()))

    def verdict(**change):
        given = Given(log)
        vars(given).update(change)
        assert given.ours(path) == given.theirs(path)
        return given.ours(path)[:3]

    stranger = "gw-ed25519-pub:" + audit_make.unpadded(curves.ed25519_public(b"stranger" * 4))
    body, signatures, size = log.points[-1]
    ahead = body[:28] + (10**6).to_bytes(8, "little") + body[36:]
    published = audit_make.anchor_text(ahead, {kind: audit_make.SIGN[kind](audit_make.SECRETS[kind], ahead) for kind in (1, 2)})
    assert verdict(seeds={seq: bytes(32)}) == (1, seq, "seed")
    assert verdict(seeds={log.seq + 1: seed}) == (1, log.seq + 1, "seed")
    assert verdict(anchors=[f"{log.seq + 1}:{'00' * 32}"]) == (1, log.seq + 1, "anchor")
    assert verdict(anchors=[f"3:{'00' * 32}"]) == (1, 3, "anchor")
    assert verdict(anchors=[published]) == (1, log.seq, "anchor")  # a checkpoint that was published and is not there
    given = Given(log)
    given.anchors, given.keys = [log.anchor_at_end()], [stranger]
    assert given.ours(path)[::2] == given.theirs(path)[::2] == (1, "signature")
    # An anchor that no given key has signed is none.
    given.anchors = [log.anchors[0]]
    with pytest.raises(audit_verify.CannotSay):
        given.theirs(path)
    assert tool(*given.options(), path).returncode == 2
    assert size <= log.seq and signatures


@pytest.mark.parametrize("auditor", sorted(AUDITOR))
@pytest.mark.parametrize("suite", [1, 2])
def test_a_sealed_export_opens_for_its_auditor_only(tmp_path, suite, auditor):
    log = log_of(SEED)
    given = Given(log)
    path, keys = tmp_path / "log.gwp", {}
    for name, text in AUDITOR.items():
        keys[name] = write(tmp_path / name, text.encode() + b"\n")
    parcel.make(str(path), AUDITOR[auditor], suite, 2, "audit", audit_make.pack(log.items))
    sound = given.ours(path, "--key", keys[auditor])
    assert sound == given.theirs(path, AUDITOR[auditor])
    assert sound[0] == 0
    stranger = next(name for name in AUDITOR if name != auditor)
    assert tool(*given.options(), "--key", keys[stranger], path).returncode == 2
    assert tool(*given.options(), path).returncode == 2
    data = path.read_bytes()
    for i in range(40):
        rnd = random.Random(SEED + i)
        bad, at = bytearray(data), rnd.randrange(len(data))
        if i % 4 == 0:
            del bad[at:]
        elif i % 4 == 1:
            bad += bytes(rnd.randrange(1, 40))
        else:
            bad[rnd.randrange(260) if i % 4 == 2 else at] ^= 1 << rnd.randrange(8)
        write(path, bytes(bad))
        out = tool("--json", *given.options(), "--key", keys[auditor], path)
        try:
            theirs = given.theirs(path, AUDITOR[auditor])
        except audit_verify.CannotSay:
            theirs = (2,)
        assert out.returncode == theirs[0] != 0, f"seed {SEED + i} at {at}: {theirs} {out.stdout} {out.stderr}"
        if out.returncode == 1:
            said = json.loads(out.stdout)
            assert (said["first_bad"], said["check"]) == theirs[1:3], f"seed {SEED + i} at {at}"


def one_suite_log():
    return audit_make.Log(random.Random(SEED), records=75, segments=1)


def test_proofs_hold_and_wrong_ones_do_not(tmp_path):
    log = one_suite_log()
    suite = log.suites[0]
    keys = [x for kind in log.signers for x in ("--pub", audit_make.KEYS[kind])]
    path = tmp_path / "proof.json"

    def verdict(proof, *more):
        path.write_text(json.dumps(proof))
        return tool("--proof", path, *more).returncode

    assert len(log.points) > 3
    for (_, _, size), anchor in zip(log.points, log.anchors):
        for seq in {1, size, random.Random(size).randrange(1, size + 1)}:
            way = audit_make.path_of(suite, log.leaves[:size], seq - 1)
            proof = {"proof": "inclusion", "seq": seq, "leaf": log.leaves[seq - 1].hex(), "record": log.recs[seq - 1].hex(),
                     "path": [h.hex() for h in way], "checkpoint": anchor}
            assert verdict(proof, *keys) == 0
            assert verdict(proof) == 2  # nobody vouches for the checkpoint
            assert verdict(proof, "--anchor", anchor) == 0
            for bad in ({"leaf": "00" * 32, "record": None}, {"record": log.recs[0 if seq > 1 else 1].hex()}, {"path": proof["path"] + ["00" * 32]},
                        {"path": proof["path"][:-1] if way else ["11" * 32]}, {"seq": seq + 1, "record": None}, {"seq": size + 1, "record": None}):
                changed = {k: v for k, v in {**proof, **bad}.items() if v is not None}
                if changed.get("seq") == seq + 1 <= size and not way:
                    continue
                assert verdict(changed, *keys) == 1, bad
    for i, (earlier, _, first) in enumerate(log.points):
        for (_, _, size), anchor in list(zip(log.points, log.anchors))[i:]:
            proof = {"proof": "consistency", "size": first, "root": audit_make.peaks_of(suite, log.leaves[:first])[1].hex(),
                     "path": [h.hex() for h in audit_make.proof_of(suite, log.leaves[:size], first)], "checkpoint": anchor}
            assert verdict(proof, *keys, "--anchor", log.anchors[i]) == 0, (first, size)
            assert verdict(proof, *keys) == 2
            assert verdict({**proof, "root": "00" * 32}, *keys) == 1
            assert verdict({**proof, "path": proof["path"] + ["00" * 32]}, *keys) == 1
            assert earlier[:10] == b"GWAUDITCP1"


def test_every_size_has_its_consistency_proof(tmp_path):
    """All pairs up to 12, against the definition in RFC 6962; the checkpoint is made for the size."""
    log = audit_make.Log(random.Random(5), records=12, segments=1)
    suite, leaves = log.suites[0], log.leaves
    path = tmp_path / "proof.json"
    for size in range(1, 13):
        log.leaves, log.seq = leaves[:size], size
        body = log.body(5)
        anchor = audit_make.anchor_text(body, {kind: audit_make.SIGN[kind](audit_make.SECRETS[kind], body) for kind in log.signers})
        for first in range(1, size + 1):
            proof = {"proof": "consistency", "size": first, "root": audit_make.peaks_of(suite, leaves[:first])[1].hex(),
                     "path": [h.hex() for h in audit_make.proof_of(suite, leaves[:size], first)], "checkpoint": anchor}
            path.write_text(json.dumps(proof))
            assert tool("--proof", path).returncode == 2, (first, size)
            if proof["path"]:
                proof["path"][random.Random(first).randrange(len(proof["path"]))] = "22" * 32
                path.write_text(json.dumps(proof))
                assert tool("--proof", path).returncode == 1, (first, size)


def test_its_memory_does_not_grow_with_the_export(tmp_path):
    """With 4 MiB for all its data it reads 7 MiB, plain and sealed."""
    data = audit_make.pack(audit_make.Log(random.Random(SEED), records=20000, segments=2, often=5 / 20000).items)
    assert len(data) > 6 << 20
    parcel.make(str(tmp_path / "sealed"), AUDITOR["x25519"], 1, 2, "audit", data)
    write(tmp_path / "key", AUDITOR["x25519"].encode())
    for words in ((write(tmp_path / "plain", data),), ("--key", tmp_path / "key", tmp_path / "sealed")):
        out = subprocess.run(["sh", "-c", 'ulimit -d 4096 && exec "$@"', "sh", str(BUILD / "gatewayd-audit-verify"), *map(str, words)], check=False,
                             capture_output=True, text=True, timeout=60)
        assert out.returncode == 2 and "20000, 1 to 20000" in out.stdout, out


def test_the_command_says_what_it_wants(tmp_path):
    nothing = tmp_path / "nothing"
    for args in ((), ("--nothing", "x"), (nothing,), ("--pub", "x", nothing), ("--anchor", "0:" + "00" * 32, nothing), ("--seed", "1:00", nothing),
                 ("--key", nothing, nothing), ("--proof", nothing), (nothing, nothing), ("--proof", nothing, nothing)):
        out = tool(*args)
        assert out.returncode == 2 and out.stderr.startswith("gatewayd-audit-verify: ") and not out.stdout, args
    assert tool("--help").returncode == tool("--version").returncode == 0
    # Not an export at all.
    out = tool(write(tmp_path / "text", b"no export\n"))
    assert out.returncode == 1 and "TAMPERED" in out.stdout and "check end" in out.stdout
    assert audit_verify.verify(str(tmp_path / "text"))[:3] == (1, 0, "end")


def test_it_reads_a_strangers_bytes_behind_a_fence(tmp_path):
    path = write(tmp_path / "log.gwa", audit_make.pack(log_of(SEED).items))
    out = subprocess.run(["strace", "-f", "-e", "trace=openat,landlock_restrict_self,seccomp,execve", str(BUILD / "gatewayd-audit-verify"), str(path)],
                         check=False, capture_output=True, text=True, timeout=60)
    calls = out.stderr.splitlines()
    fenced = max(i for i, call in enumerate(calls) if call.startswith("seccomp(SECCOMP_SET_MODE_FILTER") and call.endswith("= 0"))
    after = [call for call in calls[fenced + 1:] if "(" in call and not call.startswith("+++")]
    assert out.returncode == 2 and len([call for call in after if str(path) in call]) >= 1
    assert all(str(path) in call for call in after), after


def test_options_from_files(tmp_path):
    log = log_of(SEED)
    path = write(tmp_path / "log.gwa", audit_make.pack(log.items))
    given = Given(log)
    files = []
    for name, values in (("--pub", given.keys), ("--anchor", given.anchors), ("--seed", [f"{n}:{seed.hex()}" for n, seed in given.seeds.items()])):
        file = tmp_path / name.strip("-")
        file.write_text("# for people\n\n" + "\n".join(values) + "\n")
        files += [name, file]
    assert tool(*files, path).returncode == 0
    (tmp_path / "pub").write_text("nonsense\n")
    assert tool(*files, path).returncode == 2
