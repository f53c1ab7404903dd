"""The operators once more, in plain NumPy, written from the documents alone.

Nothing here is shared with the package or with the host device: it is the independent second
opinion that the tests compare against. Each module has two layers.

* functions with a C name (``aclnn_quantize`` ...) take the logical arrays and attributes of that
  C function plus a :class:`~reference.arithmetic.Spec` (dtype, shape) per output, raise
  :class:`~reference.arithmetic.Refusal` with the status code the call must answer, or return the
  output arrays;
* functions with a Python name (``quantize`` ...) add what the Python surface does before and
  after, with the same signature.

``family`` is ``"a2"`` (Atlas A2 and A3) or ``"310p"`` (Atlas inference series).
"""

from .arithmetic import A2, INFERENCE, Family, Refusal, Spec

__all__ = ["A2", "INFERENCE", "Family", "Refusal", "Spec"]
