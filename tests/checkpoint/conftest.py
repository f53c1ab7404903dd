"""Needs the safetensors library."""

from __future__ import annotations

import pytest

pytest.importorskip("safetensors")
