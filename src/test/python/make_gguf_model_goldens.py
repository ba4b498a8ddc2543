"""Write src/test/resources/goldens/gguf/models: GGUF files of small models, and the loss that transformers computes of each.

    python3 -m venv V && V/bin/pip install -r src/test/python/requirements.txt && V/bin/python src/test/python/make_gguf_model_goldens.py [NAME ...]

The models are those of goldens/models, under configs that a GGUF file can hold. The gguf package writes them with the keys, names and
changes of llama.cpp's converters, in as many types as it can quantise to. The loss is that of the numbers in the file, rounded as a
reader that keeps 16 bits rounds them: to bfloat16 if a matrix is quantised, to float16 if one is in float16.

For the families that transformers itself loads from GGUF, it must find the same weights in the file.
"""

import itertools
import json
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Type
from transformers import AutoConfig, AutoModelForCausalLM

FOLDER = Path(__file__).parents[1] / "resources/goldens/gguf/models"
MODELS = Path(__file__).parents[1] / "resources/goldens/models"
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=64, rope_theta=500.0)
GEMMA3_ROPE = {"full_attention": dict(rope_type="linear", factor=2.0, rope_theta=1000.0),
               "sliding_attention": dict(rope_type="default", rope_theta=10000.0)}
EXACT, HALF = [Type.F32], [Type.F16]
# name: folder, architecture, changes to the config, types of the matrices in turn
SPECS = {
    "llama-linear": ("rotary-linear", "llama", {}, EXACT),
    "llama-yarn": ("rotary-yarn", "llama", {}, HALF),
    "llama3": ("rotary-linear", "llama", dict(rope_parameters=LLAMA3), [Type.Q8_0, Type.Q4_0, Type.Q5_1]),
    "qwen2": ("qwen2-bias", "qwen2", {}, [Type.Q4_1, Type.Q5_0]),
    "qwen3": ("qwen3-qknorm", "qwen3", {}, [Type.Q5_0, Type.Q8_0, Type.BF16]),
    "gemma2": ("gemma2", "gemma2", dict(query_pre_attn_scalar=16, rope_parameters=dict(rope_type="default", rope_theta=10000.0)), EXACT),
    "gemma3": ("gemma3_text", "gemma3", dict(query_pre_attn_scalar=16, rope_parameters=GEMMA3_ROPE), [Type.BF16, Type.Q8_0]),
    "granite": ("granite", "granite", {}, EXACT),
    "olmo2": ("olmo2", "olmo2", {}, EXACT),
    "phi3": ("phi3", "phi3", {}, [Type.Q8_0, Type.F16]),
    "smollm3": ("smollm3", "smollm3", dict(no_rope_layers=[1, 1]), EXACT),
    "olmo3": ("olmo3", "olmo2", {}, EXACT),
    "ministral3": ("ministral3", "mistral3", dict(sliding_window=None), [Type.F16, Type.F32]),
    "granite4": ("granitemoehybrid", "granite", {}, EXACT),
    "qwen35": ("qwen3_5_text-square", "qwen35", {}, EXACT),
    "qwen3moe": ("qwen3_moe", "qwen3moe", {}, [Type.Q8_0, Type.BF16, Type.Q5_0]),
}
INTERLEAVED = {"llama", "granite", "smollm3", "mistral3"}
GEMMA = {"gemma2", "gemma3"}
LOADED_BY_TRANSFORMERS = {"llama", "qwen2", "qwen3", "qwen3moe", "gemma2", "gemma3", "phi3"}


def interleaved(weight, heads):
    """Row j of the first half of a head goes before row j of the second."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def apart(weight, heads):
    return weight.reshape(heads, weight.shape[0] // heads // 2, 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


def heads_of(name, config):
    return config.num_attention_heads if ".q_proj." in name else config.num_key_value_heads


def turned(name, architecture):
    return architecture in INTERLEAVED and (".q_proj." in name or ".k_proj." in name)


def counted_from_one(name, architecture):
    return name.endswith("norm.weight") and (architecture in GEMMA or architecture == "qwen35" and "linear_attn" not in name)


def stored_form(name, weight, architecture, config):
    if turned(name, architecture):
        weight = interleaved(weight, heads_of(name, config))
    if "linear_attn" in name:
        weight = delta_form(name, weight, config)
    return weight + np.float32(1) if counted_from_one(name, architecture) else weight


def delta_form(name, weight, config):
    """Value heads that share a key head are apart, those that are the n-th of theirs together."""
    keys, values, width = config.linear_num_key_heads, config.linear_num_value_heads, config.linear_value_head_dim
    tiled = np.arange(values).reshape(keys, values // keys).T.reshape(-1)
    rows = (tiled[:, None] * width + np.arange(width)).reshape(-1)
    first = 2 * keys * config.linear_key_head_dim
    if "qkv" in name or "conv1d" in name:
        return weight.squeeze()[np.concatenate([np.arange(first), first + rows])]
    if "in_proj_z" in name:
        return weight[rows]
    if "out_proj" in name:
        return np.ascontiguousarray(weight[:, rows])
    weight = weight if "norm" in name else weight[tiled]
    return -np.exp(weight) if "A_log" in name else weight


def model_form(name, weight, architecture, config):
    if turned(name, architecture):
        weight = apart(weight, heads_of(name, config))
    return weight - np.float32(1) if counted_from_one(name, architecture) else weight


def rounded(weight, types):
    """As the narrowest type that holds the matrices rounds it."""
    tensor = torch.from_numpy(np.ascontiguousarray(weight))
    if types <= {Type.F32}:
        return tensor
    return tensor.to(torch.float16 if types <= {Type.F32, Type.F16} else torch.bfloat16).float()


def add_sizes(writer, config):
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    if head_size := getattr(config, "head_dim", None):
        writer.add_key_length(head_size)
        writer.add_value_length(head_size)
        writer.add_rope_dimension_count(int(head_size * config.rope_parameters.get("partial_rotary_factor", 1)))


def add_rotary(writer, config, architecture):
    rope = config.rope_parameters.get("full_attention", config.rope_parameters)
    if architecture != "gemma2":
        writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(gguf.RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        if "mscale_all_dim" in rope:
            writer.add_rope_scaling_yarn_log_mul(rope["mscale_all_dim"])
        if "beta_fast" in rope:
            writer.add_rope_scaling_yarn_beta_fast(rope["beta_fast"])
            writer.add_rope_scaling_yarn_beta_slow(rope["beta_slow"])
    if rope["rope_type"] == "llama3":
        writer.add_tensor("rope_freqs.weight", llama3_factors(rope, config.head_dim))


def llama3_factors(rope, head_size):
    """In float32, as llama.cpp's converter computes them."""
    factors = []
    for frequency in 1.0 / (rope["rope_theta"] ** (torch.arange(0, head_size, 2, dtype=torch.float32) / head_size)):
        turns = rope["original_max_position_embeddings"] * frequency / (2 * np.pi)
        smooth = (turns - rope["low_freq_factor"]) / (rope["high_freq_factor"] - rope["low_freq_factor"])
        smooth = smooth.clamp(0, 1)
        factors.append(float(1 / ((1 - smooth) / rope["factor"] + smooth)))
    assert len(set(factors)) > 2, factors
    return np.array(factors, dtype=np.float32)


def add_family(writer, config, architecture):
    if architecture in GEMMA:
        writer.add_sliding_window(config.sliding_window)
        if config.final_logit_softcapping:
            writer.add_final_logit_softcapping(config.final_logit_softcapping)
    if architecture == "gemma2":
        writer.add_attn_logit_softcapping(config.attn_logit_softcapping)
    if architecture == "gemma3":
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
    if config.model_type == "olmo3":
        writer.add_rope_freq_base_swa(config.rope_parameters["sliding_attention"]["rope_theta"])
        writer.add_sliding_window(config.sliding_window)
        writer.add_sliding_window_pattern([kind == "sliding_attention" for kind in config.layer_types])
    if architecture == "mistral3":
        writer.add_attn_temperature_scale(config.rope_parameters["llama_4_scaling_beta"])
    if config.model_type == "granitemoehybrid":
        writer.add_expert_count(0)
        writer.add_head_count_kv([config.num_key_value_heads] * config.num_hidden_layers)
        writer.add_rope_scaling_finetuned(True)
    if architecture == "qwen35":
        add_delta(writer, config)
    if architecture == "qwen3moe":
        writer.add_expert_count(config.num_experts)
        writer.add_expert_used_count(config.num_experts_per_tok)
        writer.add_expert_feed_forward_length(config.moe_intermediate_size)
    if architecture == "granite":
        writer.add_attention_scale(config.attention_multiplier)
        writer.add_embedding_scale(config.embedding_multiplier)
        writer.add_residual_scale(config.residual_multiplier)
        writer.add_logit_scale(config.logits_scaling)
    if architecture == "phi3":
        writer.add_rope_scaling_orig_ctx_len(config.original_max_position_embeddings)
        writer.add_sliding_window(config.sliding_window)


def add_delta(writer, config):
    writer.add_ssm_conv_kernel(config.linear_conv_kernel_dim)
    writer.add_ssm_state_size(config.linear_key_head_dim)
    writer.add_ssm_group_count(config.linear_num_key_heads)
    writer.add_ssm_time_step_rank(config.linear_num_value_heads)
    writer.add_ssm_inner_size(config.linear_value_head_dim * config.linear_num_value_heads)
    writer.add_array("qwen35.attention.recurrent_layers", [kind == "linear_attention" for kind in config.layer_types])
    writer.add_rope_dimension_sections([11, 11, 10, 0])


def add_tokenizer(writer, vocabulary):
    """A piece a printable letter, and fillers that no text has."""
    pieces = ["<unk>", "<s>", "</s>", "▁"] + [chr(code) for code in range(0x21, 0x7F)]
    fillers = [f"[PAD{i}]" for i in range(len(pieces), vocabulary)]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(pieces + fillers)
    writer.add_token_scores([-float(i) for i in range(vocabulary)])
    writer.add_token_types([2, 3, 3] + [1] * (len(pieces) - 3) + [5] * len(fillers))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(0)
    writer.add_chat_template("{% for m in messages %}{{ m['content'] }}{{ eos_token }}{% endfor %}")


def write(path, model, architecture, types):
    """Writes the file and returns the weights that a reader finds in it."""
    config, found = model.config, {}
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[architecture.upper()], config.num_hidden_layers)

    def add(name, data, kind):
        name = name.replace(".dt_bias", ".dt_proj.bias")
        writer.add_tensor(names.get_name(name, (".weight", ".bias")), data, raw_dtype=kind)

    writer = gguf.GGUFWriter(path, architecture)
    add_sizes(writer, config)
    add_rotary(writer, config, architecture)
    add_family(writer, config, architecture)
    add_tokenizer(writer, config.vocab_size)
    turns, used = itertools.cycle(types), set()
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and config.tie_word_embeddings:
            continue
        weight = stored_form(name, tensor.numpy(), architecture, config)
        kind = Type.F32 if weight.ndim == 1 or name.endswith(".mlp.gate.weight") else next(turns)
        kind = Type.F16 if weight.shape[-1] % gguf.GGML_QUANT_SIZES[kind][0] else kind
        used |= {kind} if weight.ndim > 1 else set()
        data = gguf.quantize(weight, kind)
        if name.endswith(".experts.gate_up_proj"):
            halves = [gguf.quantize(np.ascontiguousarray(half), kind) for half in np.split(weight, 2, axis=1)]
            for part, half in zip(("gate", "up"), halves):
                add(name.replace("gate_up_proj", f"{part}_proj.weight"), half, kind)
            found[name] = np.concatenate([gguf.dequantize(half, kind) for half in halves], axis=1)
            continue
        if name.endswith(".experts.down_proj"):
            add(name + ".weight", data, kind)
        elif ".shared_mlp.input_linear" in name:
            for part, half in zip(("gate", "up"), np.split(data, 2)):
                add(name.replace("shared_mlp.input_linear", f"mlp.{part}_proj"), half, kind)
        else:
            add(name.replace("shared_mlp.output_linear", "mlp.down_proj"), data, kind)
        if "linear_attn" in name or "shared_mlp" in name:
            found[name] = tensor.numpy()
        else:
            found[name] = model_form(name, gguf.dequantize(data, kind), architecture, config)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return {name: rounded(weight, used) for name, weight in found.items()}, {name: torch.from_numpy(weight) for name, weight in found.items()}


def check_against_transformers(path, config, exact):
    """With the model's own config, since transformers does not read the head size of Qwen 3."""
    loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, config=config, dtype=torch.float32).state_dict()
    for name, weight in exact.items():
        assert torch.equal(loaded[name], weight), (path, name)


def loss(model, batch):
    total, count, rows = 0.0, 0, []
    for ids, labels, mask in zip(*(batch[key] for key in ("input_ids", "labels", "attention_mask"))):
        ids, labels = ids[: sum(mask)], labels[: sum(mask)]
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([ids])).logits[0, :-1]
        targets = torch.tensor(labels[1:])
        total += torch.nn.functional.cross_entropy(logits, targets, ignore_index=-100, reduction="sum").item()
        count += int((targets != -100).sum())
        rows.append(dict(input_ids=ids, labels=labels))
    return dict(loss_sum=total, n_tokens=count, rows=rows)


def make(name):
    base, architecture, changes, types = SPECS[name]
    config = AutoConfig.from_pretrained(MODELS / base / "base", **changes)
    model = AutoModelForCausalLM.from_pretrained(MODELS / base / "base", config=config, dtype=torch.float32, attn_implementation="eager")
    path = FOLDER / f"{name}.gguf"
    weights, exact = write(path, model, architecture, types)
    if architecture in LOADED_BY_TRANSFORMERS:
        check_against_transformers(path, config, exact)
    model.load_state_dict(weights, strict=False)
    expected = loss(model.eval(), json.loads((MODELS / base / "batch.json").read_text()))
    (FOLDER / f"{name}.json").write_text(json.dumps(expected) + "\n")
    print(name, path.stat().st_size, expected["loss_sum"] / expected["n_tokens"])


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    for chosen in sys.argv[1:] or SPECS:
        make(chosen)
