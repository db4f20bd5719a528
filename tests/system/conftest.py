"""Fixtures of the system tests. They need root (namespaces, containers) and the packages of ./dev; what is missing makes a test fail."""

import os
import sys

import pytest

# tests/, so that the helpers are "lib.lab" and so on: a module of ours called platform must not stand before Python's.
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from lib.lab import Lab  # noqa: E402
from lib.pki import house as make_house  # noqa: E402


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    """Certificates for the addresses of the lab; made once a session, nobody changes them."""
    return make_house(tmp_path_factory.mktemp("pki"))


@pytest.fixture
def lab():
    """A lab of one's own."""
    with Lab() as one:
        yield one


@pytest.fixture(scope="module")
def shared_lab():
    """A lab for a whole file, whose tests restore what they break."""
    with Lab() as one:
        yield one
