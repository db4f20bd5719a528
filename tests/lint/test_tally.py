#!/usr/bin/env python3
"""The last line of ./dev test is only as true as the counting."""
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.dont_write_bytecode = True

import tally

GOOD = "[==========] Running 2 test(s).\n[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[       OK ] b\n"
ONE_BAD = "[ RUN      ] a\n[       OK ] a\n[ RUN      ] b\n[  FAILED  ] b\n[  FAILED  ] 1 test(s), listed below:\n[  FAILED  ] b\n"


def row(result, stdout="", stderr=""):
    return {"name": "x", "result": result, "stdout": stdout, "stderr": stderr}


class Tally(unittest.TestCase):
    def written(self, text):
        path = pathlib.Path(tempfile.mkdtemp(prefix="gw-tally-")) / "log"
        path.write_text(text)
        self.addCleanup(path.parent.rmdir)
        self.addCleanup(path.unlink)
        return path

    def test_cmocka(self):
        self.assertEqual(tally.count_meson_test(row("OK", GOOD)), (2, 0))
        self.assertEqual(tally.count_meson_test(row("FAIL", "[       OK ] a\n", "[  FAILED  ] b\n")), (1, 1))

    def test_cmocka_failure_is_counted_once(self):
        self.assertEqual(tally.count_meson_test(row("FAIL", ONE_BAD)), (1, 1))

    def test_what_did_not_run_is_failed(self):
        self.assertEqual(tally.count_meson_test(row("OK", GOOD, "[  SKIPPED ] c\n")), (2, 1))
        self.assertEqual(tally.count_meson_test(row("FAIL", GOOD, "Could not run test\n[  ERROR   ] c\n")), (2, 1))

    def test_death_after_good_tests(self):
        for result in ("FAIL", "TIMEOUT", "ERROR", "INTERRUPT", "SKIP"):
            self.assertEqual(tally.count_meson_test(row(result, GOOD)), (2, 1))

    def test_quiet_program(self):
        self.assertEqual(tally.count_meson_test(row("OK")), (1, 0))
        self.assertEqual(tally.count_meson_test(row("FAIL")), (0, 1))

    def test_unittest(self):
        self.assertEqual(tally.count_meson_test(row("OK", "", "Ran 7 tests in 0.1s\n\nOK\n")), (7, 0))
        self.assertEqual(tally.count_meson_test(row("FAIL", "", "Ran 7 tests in 0.1s\n\nFAILED (failures=1, errors=2)\n")),
                         (4, 3))

    def test_log(self):
        path = self.written("\n".join(json.dumps(r) for r in (row("OK", GOOD), row("FAIL"))) + "\n")
        self.assertEqual(tally.count_meson(path), (2, 1, ["x: FAIL"]))

    def test_pytest(self):
        path = self.written('<testsuites><testsuite><testcase classname="a" name="one"/>'
                            '<testcase classname="a" name="two"><failure/></testcase>'
                            '<testcase classname="a" name="three"><error/></testcase>'
                            '<testcase classname="a" name="four"><skipped/></testcase></testsuite></testsuites>')
        self.assertEqual(tally.count_pytest(path)[:2], (1, 3))

    def test_pytest_error_at_the_end_of_a_test_that_passed(self):
        path = self.written('<testsuite><testcase classname="a" name="one"/>'
                            '<testcase classname="a" name="one"><error/></testcase></testsuite>')
        self.assertEqual(tally.count_pytest(path)[1], 1)

    def test_node(self):
        text = "# tests 4\n# suites 1\n# pass 3\n# fail 1\n# cancelled 0\n# skipped 0\n# duration_ms 12\n"
        self.assertEqual(tally.count_node(self.written(text), 1)[:2], (3, 1))

    def test_node_that_dies(self):
        self.assertEqual(tally.count_node(self.written("npm: not found\n"), 127)[:2], (0, 1))

    def test_node_test_that_did_not_run_is_failed(self):
        self.assertEqual(tally.count_node(self.written("# pass 3\n# fail 0\n# skipped 1\n"), 0)[:2], (3, 1))


if __name__ == "__main__":
    unittest.main()
