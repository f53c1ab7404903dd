"""Which tier of tests runs."""

from __future__ import annotations

#: whether pytest was started with ``--nightly``; the conftest of all tests sets it
nightly = False
