"""Records the rotary frequencies of transformers (5.24) for each scaling: goldens/rotary/frequencies.json.

Usage: python src/test/python/make_rotary_goldens.py

A case is what config.json says (rope_parameters, head_dim, max_position_embeddings), the length of the sequence, and
what transformers makes of it: the frequencies and the factor on cosines and sines.
"""

import json
import pathlib

from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

FILE = pathlib.Path(__file__).parents[1] / "resources/goldens/rotary/frequencies.json"
LLAMA3 = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=8192)
YARN = dict(rope_type="yarn", rope_theta=1000000.0, factor=4.0, original_max_position_embeddings=32768)
CASES = [
    # head size, longest position, length of the sequence, rope_parameters
    (64, 8192, 100, dict(rope_type="linear", rope_theta=10000.0, factor=4.0)),
    (64, 2048, 100, dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)),
    (64, 2048, 2048, dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)),
    (64, 2048, 5000, dict(rope_type="dynamic", rope_theta=10000.0, factor=2.0)),
    (128, 131072, 100, LLAMA3),
    (64, 131072, 100, dict(LLAMA3, factor=32.0)),
    (128, 131072, 100, YARN),
    (64, 65536, 100, dict(YARN, rope_theta=10000.0, factor=16.0, original_max_position_embeddings=4096, truncate=False)),
    (128, 131072, 100, dict(YARN, beta_fast=16.0, beta_slow=2.0)),
    (128, 131072, 100, dict(YARN, attention_factor=0.75)),
    (64, 163840, 100, dict(YARN, factor=40.0, original_max_position_embeddings=4096, mscale=1.0, mscale_all_dim=0.7)),
]


def case(head_size, longest, length, parameters):
    config = LlamaConfig(
        hidden_size=4 * head_size, num_attention_heads=4, head_dim=head_size, max_position_embeddings=longest, rope_parameters=dict(parameters))
    frequencies, factor = ROPE_INIT_FUNCTIONS[parameters["rope_type"]](config, "cpu", seq_len=length)
    return dict(
        head_dim=head_size, max_position_embeddings=longest, length=length, rope_parameters=parameters,
        attention_factor=factor, frequencies=frequencies.tolist())


FILE.parent.mkdir(parents=True, exist_ok=True)
FILE.write_text("[\n" + ",\n".join(json.dumps(case(*arguments)) for arguments in CASES) + "\n]\n")
