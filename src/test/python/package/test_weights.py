from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import sparkqlora

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("spark")

NAME = "model.layers.0.mlp.up_proj.weight"


@pytest.mark.parametrize("code", ["nf4", "fp4"])
def test_what_is_restored_is_level_times_scale(model: Path, code: str) -> None:
    weight = sparkqlora.ModelWeights(model).quantized(NAME, code, block_size=128)

    scales = np.repeat(weight.scales, 128).reshape(weight.codes.shape)
    assert weight.codes.shape == (256, 128)
    assert np.array_equal(weight.restored, weight.levels[weight.codes] * scales)


def test_larger_blocks_take_fewer_bits_and_more_error(model: Path) -> None:
    weights = sparkqlora.ModelWeights(model)
    values = weights.values(NAME)
    small, large = (weights.quantized(NAME, block_size=size, double_quant=False) for size in (32, 1024))

    assert small.bits_per_weight == 4 + 32 / 32
    assert large.bits_per_weight == 4 + 32 / 1024
    assert np.abs(values - small.restored).mean() < np.abs(values - large.restored).mean()


def test_what_is_wrong_is_told_plainly(model: Path) -> None:
    weights = sparkqlora.ModelWeights(model)

    with pytest.raises(sparkqlora.BadInputError, match="Cannot find weight q_proj"):
        weights.values("q_proj")
    with pytest.raises(sparkqlora.BadInputError, match="expected a power of two from 32 to 4096"):
        weights.quantized(NAME, block_size=48)
    with pytest.raises(sparkqlora.BadInputError, match="Cannot use 4-bit code 'int4'"):
        weights.quantized(NAME, "int4")
