"""The weights of a model, as they are and in 4 bits."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sparkqlora.errors import told_plainly
from sparkqlora.jvm import java_class

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sparkqlora.sessions import Place


@dataclass(frozen=True)
class FourBitWeight:
    """A weight as training holds it: block by block, ``restored = levels[codes] * scale``."""

    #: the sixteen values that a code stands for before it is scaled
    levels: NDArray[np.float32]
    #: 0 to 15, of the weight's shape
    codes: NDArray[np.uint8]
    #: one a block of the flattened weight
    scales: NDArray[np.float32]
    #: the weight turned back into numbers
    restored: NDArray[np.float32]
    #: weights that share a scale
    block_size: int
    #: what codes and scales take
    byte_size: int

    @property
    def bits_per_weight(self) -> float:
        """What a weight takes on average, its share of the scales included."""
        return 8 * self.byte_size / self.codes.size


class ModelWeights:
    """The weights of a model by name: of a folder, a ``.gguf`` file or a hub's id.

    4-bit codes come from the classes that training uses.
    """

    def __init__(self, model: Place) -> None:
        """Open a model."""
        with told_plainly():
            self._java = java_class("org.sparkqlora.run.model.ModelWeights").open(os.fspath(model))

    @property
    def names(self) -> list[str]:
        """In the order of the files."""
        return [str(name) for name in self._java.names()]

    def values(self, name: str) -> NDArray[np.float32]:
        """Return a weight as it was trained."""
        with told_plainly():
            return _floats(self._java.values(name)).reshape(self._shape(name))

    def quantized(
        self, name: str, code: str = "nf4", block_size: int = 64, *, double_quant: bool = True
    ) -> FourBitWeight:
        """Bring a weight to 4 bits.

        :param code: ``nf4`` or ``fp4``
        :param block_size: weights that share a scale, a power of two from 32 to 4096
        :param double_quant: whether scales are stored in 8 bits
        """
        with told_plainly():
            parsed = java_class("org.sparkqlora.quant.FourBitCode").parse(code)
            spec = java_class("org.sparkqlora.quant.QuantSpec")(parsed, block_size, double_quant)
            java = self._java.quantized(name, spec)
            shape = self._shape(name)
            return FourBitWeight(
                levels=_floats(java.levels()),
                codes=np.frombuffer(java.codes(), dtype=np.uint8).reshape(shape),
                scales=_floats(java.scales()),
                restored=_floats(java.restored()).reshape(shape),
                block_size=block_size,
                byte_size=int(java.byteSize()),
            )

    def _shape(self, name: str) -> tuple[int, ...]:
        return tuple(int(size) for size in self._java.shape(name))


def _floats(java_bytes: Any) -> NDArray[np.float32]:
    return np.frombuffer(java_bytes, dtype="<f4")
