#!/usr/bin/env python3
"""Each lint is shown a tree that is right and then one with a fault planted in it, and must tell them apart."""
import base64
import hashlib
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.dont_write_bytecode = True

import compliance
import hardening
import keys
import layers
import limits
import maps
import paths
import state
import symbols
import threats
import unfinished

MAP = """#pragma once
/* shelf - where things lie.
 *
 *   above   router
 *   below   base/base  model/ids
 *   owns    struct shelf
 *   limits  SHELF_ROWS_MAX
 *   errors  SHELF_E_FULL
 */
#include "base/base.h"

#define SHELF_ROWS_MAX 8
enum { SHELF_E_FULL = 1 };
"""

GOOD = {
    "gatewayd/base/base.h": """#pragma once
/* base - words.
 *
 *   above   everything
 *   below   -
 *   owns    nothing
 */
#include <stdint.h>
""",
    "gatewayd/model/ids.h": """#pragma once
/* ids - names of things.
 *
 *   above   registry/shelf
 *   below   base/base
 *   owns    nothing
 */
#include "base/base.h"
""",
    "gatewayd/registry/shelf.h": MAP,
    "gatewayd/registry/shelf.c": """#include "registry/shelf.h"
#include "model/ids.h"

static const char *const names[] = { "a", "b" };
static const struct { int a; } rows[] = { { 1 }, { 2 } };

static int shelf_find(const char *name)
{
	static const int limit = 3;

	return names[0] == name ? limit : rows[0].a;
}
""",
    "gatewayd/router/router.c": '#include "registry/shelf.h"\n',
    "plugins/sim/sim.c": '#include "sdk/gw_adapter.h"\n#include "base/base.h"\n#include <jansson.h>\n',
    "plugins/sdk/gw_adapter.h": "#pragma once\n#include <stdint.h>\n",
    "tests/unit/test_shelf.c": "int test_full(void) { return SHELF_ROWS_MAX; }\n",
    "tests/lint/clauses.list": "6.1\n6.2\n",
    "docs/compliance.tsv": "clause\tstate\tcode\ttest\n"
                           "6.1\tmet\tgatewayd/registry/shelf.c\ttests/unit/test_shelf.c::test_full\n"
                           "6.2\tlater\t\t\n",
    "docs/THREATS.md": "| who and what | what stops them | shown by |\n|---|---|---|\n"
                       "| a thief | a lock | tests/unit/test_shelf.c::test_full tests/unit/test_shelf.c |\n",
    "dev": "#!/bin/sh\n",
    "meson.build": "gw_rows = [\n" + "".join(f"\t{row},\n" for row in layers.tree.ROWS) + "]\n",
}


class Tree(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="gw-lint-")
        self.root = pathlib.Path(self.folder.name)
        self.addCleanup(self.folder.cleanup)
        for path, text in GOOD.items():
            self.write(path, text)

    def write(self, path, text):
        path = self.root / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def add(self, path, text):
        self.write(path, GOOD.get(path, "") + text)

    def swap(self, path, old, new):
        self.assertIn(old, GOOD[path])
        self.write(path, GOOD[path].replace(old, new))

    def good(self, check):
        self.assertEqual(check(self.root), [])

    def bad(self, check, word, *args):
        found = check(self.root, *args)
        self.assertTrue(any(word in line for line in found), f"{word!r} not in {found}")


class Layers(Tree):
    def test_right_tree(self):
        self.good(layers.check)

    def test_meson_has_other_rows(self):
        self.swap("meson.build", "['base'],\n", "")
        self.bad(layers.check, "its rows")

    def test_upward(self):
        self.add("gatewayd/model/ids.h", '#include "registry/shelf.h"\n')
        self.bad(layers.check, "upwards")

    def test_peer(self):
        self.add("gatewayd/registry/shelf.c", '#include "policy/policy.h"\n')
        self.bad(layers.check, "its peer")

    def test_commented_include_is_none(self):
        self.add("gatewayd/model/ids.h", '/*\n#include "registry/shelf.h"\n*/\n')
        self.good(layers.check)

    def test_program_reaches_into_the_core(self):
        self.write("gatewayd/linkd/linkd.c", '#include "registry/shelf.h"\n')
        self.bad(layers.check, "linkd includes registry/shelf.h")

    def test_core_includes_a_program(self):
        self.add("gatewayd/registry/shelf.c", '#include "linkd/mqtt.h"\n')
        self.bad(layers.check, "may not include linkd/mqtt.h")

    def test_plugin_reaches_into_the_core(self):
        self.add("plugins/sim/sim.c", '#include "policy/policy.h"\n')
        self.bad(layers.check, "sim includes policy/policy.h")

    def test_library_outside_sys(self):
        for header in ("uv.h", "sqlite3.h", "openssl/evp.h", "sodium.h", "yaml.h", "jansson.h", "mosquitto.h"):
            self.add("gatewayd/registry/shelf.c", f"#include <{header}>\n")
            self.bad(layers.check, f"<{header}>")

    def test_sys_may(self):
        self.write("gatewayd/sys/loop.c", "#include <uv.h>\n")
        self.good(layers.check)

    def test_unknown_folder(self):
        self.write("gatewayd/misc/misc.c", "int a(void);\n")
        self.bad(layers.check, "in no row")

    def test_include_without_folder(self):
        self.add("gatewayd/registry/shelf.c", '#include "shelf.h"\n')
        self.bad(layers.check, "without its folder")

    def test_long_file(self):
        self.add("gatewayd/registry/shelf.c", "\n" * 660)
        self.bad(layers.check, "more than one story")

    def test_long_function(self):
        self.add("gatewayd/registry/shelf.c", "int f(void)\n{\n" + "\tg();\n" * 82 + "}\n")
        self.bad(layers.check, "a function of")


class Maps(Tree):
    def test_right_tree(self):
        self.good(maps.check)

    def test_no_map(self):
        self.swap("gatewayd/model/ids.h", "/* ids - names of things.", "/* Names.")
        self.bad(maps.check, "does not begin")

    def test_wrong_noun(self):
        self.swap("gatewayd/model/ids.h", "/* ids -", "/* identities -")
        self.bad(maps.check, "the map is that of identities")

    def test_line_left_out(self):
        self.swap("gatewayd/registry/shelf.h", " *   owns    struct shelf\n", "")
        self.bad(maps.check, "no owns")

    def test_below_left_out(self):
        self.swap("gatewayd/registry/shelf.h", "base/base  model/ids", "base/base")
        self.bad(maps.check, "below leaves out model/ids")

    def test_below_too_much(self):
        self.swap("gatewayd/registry/shelf.h", "model/ids", "model/ids  model/wire")
        self.bad(maps.check, "below names model/wire")

    def test_above_file(self):
        self.swap("gatewayd/registry/shelf.h", "above   router", "above   router/rules")
        self.bad(maps.check, "above names router/rules")

    def test_above_folder(self):
        self.swap("gatewayd/registry/shelf.h", "above   router", "above   router  door")
        self.bad(maps.check, "above names door")

    def test_limit_left_out(self):
        self.add("gatewayd/registry/shelf.h", "enum { SHELF_NAME_MAX = 64 };\n")
        self.bad(maps.check, "limits leaves out SHELF_NAME_MAX")

    def test_limit_that_is_not(self):
        self.swap("gatewayd/registry/shelf.h", "limits  SHELF_ROWS_MAX", "limits  SHELF_ROWS_MAX SHELF_WIDTH_MAX")
        self.bad(maps.check, "limits names SHELF_WIDTH_MAX")

    def test_error_left_out(self):
        self.swap("gatewayd/registry/shelf.h", "SHELF_E_FULL = 1", "SHELF_E_FULL = 1, SHELF_E_NONE = 2")
        self.bad(maps.check, "errors leaves out SHELF_E_NONE")

    def test_error_that_is_not(self):
        self.swap("gatewayd/registry/shelf.h", "errors  SHELF_E_FULL", "errors  SHELF_E_FULL SHELF_E_LOST")
        self.bad(maps.check, "errors names SHELF_E_LOST")


    def test_limit_used_is_not_defined(self):
        self.add("gatewayd/registry/shelf.h", "enum { SHELF_ROOM = OTHER_ROWS_MAX };\nstruct a { char b[NAME_MAX]; };\n")
        self.good(maps.check)

    def test_mended(self):
        self.swap("gatewayd/registry/shelf.h", " *   above   router\n *   below   base/base  model/ids\n",
                  " *   above   door\n *   below   base/base  model/wire\n *           model/more\n")
        self.write("gatewayd/registry/shelf.h", (self.root / "gatewayd/registry/shelf.h").read_text().replace(
            " *   errors  SHELF_E_FULL\n", "").replace("limits  SHELF_ROWS_MAX", "limits  SHELF_LOST_MAX"))
        self.bad(maps.check, "below names model/more")
        self.assertEqual(maps.check(self.root, "mend"), [])
        self.assertEqual((self.root / "gatewayd/registry/shelf.h").read_text(),
                         MAP.replace("above   router", "above   router/router"))


class Limits(Tree):
    def test_right_tree(self):
        self.good(limits.check)

    def test_without_a_test(self):
        self.add("gatewayd/registry/shelf.h", "enum { SHELF_NAME_MAX = 64 };\n")
        self.bad(limits.check, "no test names SHELF_NAME_MAX")


class State(Tree):
    def planted(self, text, word):
        self.add("gatewayd/registry/shelf.c", text)
        self.bad(state.check, word)

    def test_right_tree(self):
        self.good(state.check)

    def test_static(self):
        self.planted("static int count;\n", "static int count")

    def test_initialised(self):
        self.planted("static struct shelf shelf = { .n = 1 };\n", "struct shelf shelf")

    def test_global(self):
        self.planted("int count = 3;\n", "int count")

    def test_pointer_to_const(self):
        self.planted('static const char *names2[] = { "a" };\n', "names2")

    def test_function_pointer(self):
        self.planted("static int (*hook)(int);\n", "hook")

    def test_constant_function_pointer_is_fine(self):
        self.add("gatewayd/registry/shelf.c", "static int (*const hook)(int) = shelf_hook;\n")
        self.good(state.check)

    def test_table_behind_macros(self):
        self.add("gatewayd/registry/shelf.c",
                 "ROW(a)\nROW(b)\nstatic const struct { int (*get)(int); } rows2[] = { { 0 } };\nint g(void)\n{\n}\n")
        self.good(state.check)

    def test_functions_declared_by_type(self):
        self.add("gatewayd/registry/shelf.h", "shelf_fn shelf_up, shelf_down;\n")
        self.good(state.check)
        self.planted("static shelf_fn hook;\n", "hook")

    def test_in_a_function(self):
        self.planted("int f(void)\n{\n\tstatic int calls;\n\treturn ++calls;\n}\n", "static in a function")

    def test_types_and_prototypes_are_fine(self):
        self.add("gatewayd/registry/shelf.c",
                 "struct a { int b; };\nenum c { D };\nstruct e;\ntypedef int (*fn)(int);\n"
                 "static int later(void);\nint take(struct e *e, void (*fn)(void *ctx), void *ctx);\nextern const int far;\n__attribute__((warn_unused_result)) int g(int *p);\n"
                 "_Static_assert(sizeof(int) == 4, \"int\");\n")
        self.good(state.check)


class Symbols(Tree):
    def test_right_tree(self):
        self.good(symbols.check)

    def test_source(self):
        for call in ("dlopen(p, 1)", "fork()", "execve(a, b, c)", "posix_spawn(a, b)", "system(a)", "popen(a, b)",
                     "socket(AF_INET, 1, 0)", "getaddrinfo(a, b, c, d)", "uv_tcp_init(a, b)", "uv_spawn(a, b, c)"):
            self.add("gatewayd/registry/shelf.c", f"int f(void) {{ return {call}; }}\n")
            self.bad(symbols.check, "in the core")

    def test_comment_and_string_are_fine(self):
        self.add("gatewayd/registry/shelf.c", '/* fork() */\nstatic const char *const why = "fork()";\n')
        self.good(symbols.check)

    def test_reading_an_address_opens_nothing(self):
        self.add("gatewayd/registry/shelf.c", "int f(void) { return inet_pton(AF_INET6, a, b); }\n")
        self.good(symbols.check)

    def test_programs_may(self):
        self.write("gatewayd/linkd/linkd.c", "int f(void) { return socket(AF_INET, 1, 0); }\n")
        self.good(symbols.check)

    def test_objects(self):
        build = self.root / "build"
        build.mkdir()
        source = build / "a.c"
        source.write_text("int f(void);\nint fork(void);\nint f(void) { return fork(); }\n")
        subprocess.run(["cc", "-c", str(source), "-o", str(build / "a.o")], check=True)
        for folder in sum(symbols.tree.ROWS, []):
            subprocess.run(["ar", "rcs", str(build / f"libgw-{folder}.a")], check=True)
        self.assertEqual(symbols.check(self.root, build), [])
        subprocess.run(["ar", "rcs", str(build / "libgw-policy.a"), str(build / "a.o")], check=True)
        self.bad(symbols.check, "libgw-policy.a:1: uses fork", build)

    def test_archive_left_out(self):
        self.bad(symbols.check, "not built", self.root / "nothing")


HARD = ("-O2 -fPIE -pie -fvisibility=hidden -fstack-protector-strong -fcf-protection=full -U_FORTIFY_SOURCE "
        "-D_FORTIFY_SOURCE=3 -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack").split()


class Hardening(unittest.TestCase):
    def built(self, flags, name="gatewayctl"):
        folder = tempfile.TemporaryDirectory(prefix="gw-hard-")
        self.addCleanup(folder.cleanup)
        source = pathlib.Path(folder.name) / "a.c"
        source.write_text("#include <stdio.h>\n#include <string.h>\n"
                          "int main(int n, char **v) { char b[64]; strcpy(b, v[n - 1]); return puts(b); }\n")
        subprocess.run(["gcc", *flags, str(source), "-o", str(source.parent / name)], check=True)
        return hardening.check(folder.name)

    def test_hardened(self):
        self.assertEqual(self.built(HARD), [])

    def test_each_flag_is_seen(self):
        for flag, instead, word in (
                ("-pie", "-no-pie", "position independent"),
                ("-Wl,-z,relro", "-Wl,-z,norelro", "relro"),
                ("-Wl,-z,now", "-Wl,-z,lazy", "binds late"),
                ("-Wl,-z,noexecstack", "-Wl,-z,execstack", "stack that can be executed"),
                ("-fstack-protector-strong", "-fno-stack-protector", "no stack protector"),
                ("-fcf-protection=full", "-fcf-protection=none", "control-flow"),
                ("-D_FORTIFY_SOURCE=3", "-O2", "fortified")):
            found = self.built([instead if f == flag else f for f in HARD])
            self.assertTrue(any(word in line for line in found), f"{instead}: {found}")

    def test_plugin_that_exports_more(self):
        found = self.built(["-shared", "-fPIC"], "a.so")
        self.assertTrue(any("gwa_plugin_v1 alone" in line for line in found), found)

    def test_nothing_built(self):
        self.assertEqual(hardening.check("/nonexistent"), ["nothing was built"])


class Compliance(Tree):
    def row(self, text, word):
        self.add("docs/compliance.tsv", text + "\n")
        self.bad(compliance.check, word)

    def test_right_tree(self):
        self.good(compliance.check)

    def test_unknown_clause(self):
        self.row("9.9\tlater\t\t", "no clause 9.9")

    def test_unknown_state(self):
        self.row("6.2\tperfect\t\t", "perfect")

    def test_missing_code(self):
        self.row("6.2\tmet\tgatewayd/none.c\ttests/unit/test_shelf.c", "no file gatewayd/none.c")

    def test_missing_test_file(self):
        self.row("6.2\tmet\tgatewayd/registry/shelf.c\ttests/unit/test_none.c", "no test file")

    def test_missing_test_name(self):
        self.row("6.2\tmet\tgatewayd/registry/shelf.c\ttests/unit/test_shelf.c::test_none", "has no test_none")

    def test_met_without_test(self):
        self.row("6.2\tmet\tgatewayd/registry/shelf.c\t", "names no code or no test")

    def test_twice(self):
        self.row("6.1\tlater\t\t", "twice")

    def test_columns(self):
        self.write("docs/compliance.tsv", "clause\tstate\n")
        self.bad(compliance.check, "columns must be")

    def test_not_there(self):
        (self.root / "docs/compliance.tsv").unlink()
        self.bad(compliance.check, "is not there")


class Threats(Tree):
    def row(self, text, word):
        self.add("docs/THREATS.md", text + "\n")
        self.bad(threats.check, word)

    def test_right_tree(self):
        self.good(threats.check)

    def test_row_without_test(self):
        self.row("| a thief | hope | |", "must name tests")

    def test_row_with_words(self):
        self.row("| a thief | a lock | surely |", "must name tests")

    def test_missing_file(self):
        self.row("| a thief | a lock | tests/unit/test_none.c |", "no test file")

    def test_missing_name(self):
        self.row("| a thief | a lock | tests/unit/test_shelf.c::test_none |", "has no test_none")

    def test_not_there(self):
        (self.root / "docs/THREATS.md").unlink()
        self.bad(threats.check, "is not there")


class Keys(Tree):
    def test_right_tree(self):
        self.good(keys.check)

    def test_private_key(self):
        self.write("docs/a.md", "-----BEGIN PRIVATE " + "KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0B\n")
        self.bad(keys.check, "a private key")

    def test_key_file(self):
        self.write("conf/broker.pem", "x\n")
        self.bad(keys.check, "a key file")

    def test_service_token(self):
        self.write("docs/a.md", "gh" + "p_" + "a1" * 18 + "\n")
        self.bad(keys.check, "a token of some service")

    def test_default_password(self):
        self.write("conf/gatewayd.yaml", 'admin:\n  password: "let' + 'mein"\n')
        self.bad(keys.check, "a built-in password")

    def test_drawn_bytes(self):
        for n in range(20):
            key = hashlib.sha256(bytes([n])).digest()
            for path, text in (
                ("gatewayd/sys/a.c", f'static const char *const k = "{key.hex()}";\n'),
                ("gatewayd/sys/a.c", "static const uint8_t k[] = { " + ", ".join(hex(byte) for byte in key[:16]) + " };\n"),
                ("plugins/sim/a.c", 'k = "' + "".join(f"\\x{byte:02x}" for byte in key) + '";\n'),
                ("tests/lib/a.py", f'KEY = "{base64.b64encode(key).decode()}"\n'),
                ("conf/a.yaml", f"network: {key.hex().upper()}\n"),
            ):
                self.write(path, text)
                self.bad(keys.check, "looks like a key")
                (self.root / path).unlink()
        self.good(keys.check)

    def test_what_has_order_is_no_key(self):
        self.write("gatewayd/sys/a.c", 'const char *a = "0000000000000000000000000000000000000001", *b = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";\n'
                                       "static const uint8_t bits[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 200, 255 };\n"
                                       'const char *c = "homeassistant/device_automation/configuration_url";\n')
        self.write("tests/unit/a.c", f'const char *k = "{hashlib.sha256(b"").hexdigest()}";\n')
        self.good(keys.check)


class Paths(Tree):
    def test_right_tree(self):
        self.good(paths.check)

    def test_machine_path(self):
        for path in ("/wor" + "k/main/x", "/hom" + "e/anna/x/y", "/roo" + "t/x/y"):
            self.write("docs/a.md", f"see {path}\n")
            self.bad(paths.check, "a path of one machine")

    def test_archive_host(self):
        self.write("docs/a.md", "https://deb." + "example.org/debian\n")
        self.bad(paths.check, "an archive's host")


class Unfinished(Tree):
    def test_right_tree(self):
        self.good(unfinished.check)

    def test_marks(self):
        for word in ("TO" + "DO", "FIX" + "ME", "st" + "ub", "not imple" + "mented"):
            self.add("gatewayd/registry/shelf.c", f"/* {word} */\n")
            self.bad(unfinished.check, "unfinished")

    def test_skips(self):
        for word in ("pytest.sk" + "ip('no')", "@pytest.mark.sk" + "ip", "@unittest.sk" + "ipIf(1, '')"):
            self.write("tests/system/test_a.py", f"{word}\n")
            self.bad(unfinished.check, "may not run")
        self.add("gatewayd/registry/shelf.c", "#if " + "0\n#endif\n")
        self.bad(unfinished.check, "may not run")


if __name__ == "__main__":
    unittest.main()
