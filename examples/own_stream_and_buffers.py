"""Two streams, device memory that is used again and again, and no waiting in between.

Run with ``python examples/own_stream_and_buffers.py``. No card is needed.
"""

from __future__ import annotations

import numpy as np

import aclquant as aq

ROUNDS = 8
SHAPE = (256, 1024)


def main() -> None:
    """Quantise on one stream while another one restores what the first has finished."""
    random = np.random.default_rng(3)
    data = random.standard_normal(SHAPE).astype(np.float32)
    scale = np.array([0.03], np.float32)

    device = aq.Device(0)
    with (
        aq.Buffer(data.nbytes, device) as x_memory,
        aq.Buffer(data.size, device) as y_memory,
        aq.Event(device) as start,
        aq.Event(device) as end,
    ):
        # Tensors are views: several may lie in one buffer.
        x = aq.Tensor(x_memory, SHAPE, "float32")
        y = aq.Tensor(y_memory, SHAPE, "int8")
        factor = aq.asarray(scale)
        restored = aq.empty(SHAPE, "float16")
        x.write(data)

        quantising, restoring = aq.Stream(device), aq.Stream(device)
        start.record(quantising)
        for _ in range(ROUNDS):
            # Both calls return at once. y is used on both streams: the device keeps the order.
            aq.quantize(x, factor, out=y, stream=quantising)
            aq.anti_quant(y, factor, out=restored, stream=restoring)
        end.record(restoring)
        end.synchronize()
        print(f"{ROUNDS} rounds in {start.elapsed_ms(end):.2f} ms on {device.name}")

        result = restored.numpy()
        once = aq.anti_quant(aq.quantize(data, scale), scale)
        print("equal to the one call on arrays:", np.array_equal(result, once))

        # Streams are closed explicitly; so is device memory, unless its last reference goes away.
        quantising.close()
        restoring.close()
        factor.close()
        restored.close()


if __name__ == "__main__":
    main()
