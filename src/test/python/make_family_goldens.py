"""Makes one small model, adapter and batch a family, and records what transformers and PEFT compute from them.

Usage: python src/test/python/make_family_goldens.py [FAMILY ...]

A family is one entry of FAMILIES: the arguments of its config class, beside those of COMMON. What follows a dash in its name tells its
folder from another's of the same family. Writes goldens/models/<family>: the files and the arithmetic are those that goldens/models/README.md describes, with the modes
lora_f32, qlora_nf4_dq and full_f32, without packed tensors; the adapters take five optimiser steps. transformers 5.24, peft 0.21, on a CPU, eager
attention. Window, soft caps and multipliers are chosen so that each moves the loss.
"""

import json
import os
import pathlib
import shutil
import sys

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM, Mxfp4Config
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

FOLDER = pathlib.Path(__file__).parents[1] / "resources/goldens/models"
VOCABULARY = 128
LENGTHS = [16, 11, 7]
COMMON = dict(
    vocab_size=VOCABULARY, hidden_size=32, intermediate_size=40, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    max_position_embeddings=64, pad_token_id=0, bos_token_id=1, eos_token_id=2,
)
GEMMA4_WAVES = dict(full_attention=dict(rope_type="proportional", partial_rotary_factor=0.5, rope_theta=1000.0),
                    sliding_attention=dict(rope_type="default", rope_theta=100.0))
YARN_WHOLE = dict(rope_type="yarn", rope_theta=1000.0, factor=8.0, original_max_position_embeddings=8, beta_fast=4.0, beta_slow=0.5, truncate=False)
FAMILIES = {
    "gemma2": dict(head_dim=16, query_pre_attn_scalar=24, sliding_window=5, attn_logit_softcapping=2.0, final_logit_softcapping=4.0,
                   rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    "gemma3_text": dict(head_dim=16, query_pre_attn_scalar=24, sliding_window=5, layer_types=["full_attention", "sliding_attention"],
                        rope_parameters=dict(full_attention=dict(rope_type="linear", factor=2.0, rope_theta=1000.0),
                                             sliding_attention=dict(rope_type="default", rope_theta=100.0))),
    "granite": dict(embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.5, logits_scaling=0.7,
                    attention_bias=True, mlp_bias=True, tie_word_embeddings=True,
                    rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    "olmo2": dict(tie_word_embeddings=False, rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    "smollm3": dict(no_rope_layers=[1, 0],
                    rope_parameters=dict(rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=16)),
    "phi3": dict(sliding_window=5, tie_word_embeddings=False, original_max_position_embeddings=64,
                 rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=1.0)),
    # documents are longer than the original context, so that the factor on queries is 1.47 and more
    "ministral3": dict(head_dim=16, sliding_window=6, rope_parameters=dict(
        rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=5, beta_fast=2.0, beta_slow=0.25,
        mscale=1.0, mscale_all_dim=1.0, llama_4_scaling_beta=0.7)),
    # what transformers writes for Ministral 8B, which is published as mistral
    "ministral": dict(head_dim=16, sliding_window=5, layer_types=["full_attention", "sliding_attention"],
                      rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    "olmo3": dict(tie_word_embeddings=False, num_hidden_layers=3, sliding_window=5,
                  layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                  rope_parameters=dict(full_attention=dict(rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=16),
                                       sliding_attention=dict(rope_type="default", rope_theta=100.0))),
    "granitemoehybrid": dict(embedding_multiplier=3.0, residual_multiplier=0.4, attention_multiplier=0.5, logits_scaling=0.7,
                             num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=40, tie_word_embeddings=True,
                             layer_types=["full_attention"] * 2, position_embedding_type="rope", mamba_n_heads=4,
                             rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    "ministral3-whole": dict(head_dim=8, hidden_size=48, num_key_value_heads=4, num_hidden_layers=3, sliding_window=None,
                             tie_word_embeddings=True, rope_parameters=dict(
                                 rope_type="yarn", rope_theta=1000.0, factor=16.0, original_max_position_embeddings=8,
                                 mscale=1.0, mscale_all_dim=0.5, llama_4_scaling_beta=0.1)),
    "olmo3-pattern": dict(tie_word_embeddings=True, num_hidden_layers=5, hidden_size=24, num_attention_heads=2, num_key_value_heads=1,
                          sliding_window=4),
    "granitemoehybrid-nope": dict(num_local_experts=0, num_experts_per_tok=0, shared_intermediate_size=40, attention_multiplier=0.5,
                                  layer_types=["full_attention"] * 2, position_embedding_type=None, mamba_n_heads=4),
    "qwen3_5_text": dict(head_dim=16, layer_types=["linear_attention", "full_attention"], linear_num_key_heads=2, linear_num_value_heads=4,
                         linear_key_head_dim=8, linear_value_head_dim=16, tie_word_embeddings=True,
                         rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.5)),
    # documents of several chunks of 64 tokens
    "qwen3_5_text-long": dict(head_dim=16, layer_types=["linear_attention", "linear_attention", "full_attention"], num_hidden_layers=3,
                              linear_num_key_heads=2, linear_num_value_heads=2, linear_key_head_dim=24, linear_value_head_dim=12,
                              linear_conv_kernel_dim=3, max_position_embeddings=256),
    # keys as wide as values, as llama.cpp wants them
    "qwen3_5_text-square": dict(head_dim=16, layer_types=["linear_attention", "full_attention"], linear_num_key_heads=2,
                                linear_num_value_heads=6, linear_key_head_dim=16, linear_value_head_dim=16, tie_word_embeddings=False,
                                rope_parameters=dict(rope_type="default", rope_theta=100.0, partial_rotary_factor=0.25)),
    # embeddings of each layer, heads of two sizes, two layers that share one's keys and values, wider feed-forward parts where they do
    "gemma4_text": dict(head_dim=16, global_head_dim=24, hidden_size_per_layer_input=24, vocab_size_per_layer_input=136, num_hidden_layers=5,
                        num_kv_shared_layers=3, use_double_wide_mlp=True, sliding_window=5,
                        layer_types=["sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"],
                        rope_parameters=GEMMA4_WAVES),
    # values that are keys, fewer heads of them where all tokens are seen
    "gemma4_text-keys": dict(head_dim=16, global_head_dim=32, hidden_size_per_layer_input=0, attention_k_eq_v=True, num_global_key_value_heads=1,
                             num_hidden_layers=3, final_logit_softcapping=4.0, sliding_window=5, tie_word_embeddings=False,
                             layer_types=["full_attention", "sliding_attention", "full_attention"], rope_parameters=GEMMA4_WAVES),
    "gemma4_text-bias": dict(head_dim=16, global_head_dim=16, hidden_size_per_layer_input=12, vocab_size_per_layer_input=128, attention_bias=True,
                             sliding_window=4, layer_types=["sliding_attention", "full_attention"], rope_parameters=GEMMA4_WAVES),
    "gemma4_unified_text": dict(head_dim=8, global_head_dim=16, attention_k_eq_v=True, num_global_key_value_heads=4, num_hidden_layers=4,
                                num_kv_shared_layers=2, final_logit_softcapping=6.0, sliding_window=6,
                                layer_types=["sliding_attention", "full_attention"] * 2, rope_parameters=GEMMA4_WAVES),
    # all that PEFT takes as all-linear: attention, router, and experts
    "qwen3_moe": dict(head_dim=16, moe_intermediate_size=24, num_experts=4, num_experts_per_tok=2, norm_topk_prob=True,
                      rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    # dense layers among the others, probabilities that are not normalised
    "qwen3_moe-sparse": dict(head_dim=8, moe_intermediate_size=20, num_experts=6, num_experts_per_tok=3, norm_topk_prob=False,
                             num_hidden_layers=5, decoder_sparse_step=2, mlp_only_layers=[3], attention_bias=True, tie_word_embeddings=True,
                             rope_parameters=dict(rope_type="yarn", rope_theta=100.0, factor=4.0, original_max_position_embeddings=16)),
    # adapters on experts alone, of two ranks
    "qwen3_moe-experts": dict(head_dim=8, hidden_size=48, moe_intermediate_size=16, num_experts=8, num_experts_per_tok=3, norm_topk_prob=True,
                              num_hidden_layers=3, mlp_only_layers=[1], use_sliding_window=True, sliding_window=6,
                              rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    # one matrix of the experts beside attention
    "qwen3_moe-down": dict(head_dim=8, moe_intermediate_size=36, num_experts=5, num_experts_per_tok=1, norm_topk_prob=False,
                           rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    # both clamps act, and documents are longer than windows
    "gpt_oss": dict(head_dim=16, intermediate_size=24, num_local_experts=4, num_experts_per_tok=2, sliding_window=5, swiglu_limit=0.6,
                    rope_parameters=YARN_WHOLE),
    # attention and experts, which have two ranks
    "gpt_oss-experts": dict(head_dim=8, hidden_size=48, intermediate_size=20, num_local_experts=8, num_experts_per_tok=3, num_hidden_layers=3,
                            sliding_window=7, rope_parameters=YARN_WHOLE),
    # the router, without biases of attention
    "gpt_oss-router": dict(head_dim=8, intermediate_size=36, num_local_experts=5, num_experts_per_tok=4, attention_bias=False, swiglu_alpha=1.2,
                           swiglu_limit=1.1, tie_word_embeddings=True, layer_types=["full_attention", "sliding_attention"], sliding_window=6,
                           rope_parameters=dict(rope_type="default", rope_theta=100.0)),
    # stored as OpenAI stores it
    "gpt_oss-mxfp4": dict(head_dim=8, hidden_size=64, intermediate_size=32, num_local_experts=4, num_experts_per_tok=2, sliding_window=6,
                          swiglu_limit=2.0, rope_parameters=YARN_WHOLE),
}
# weight of the loss that balances experts
BALANCE = 0.3
BALANCED = ["qwen3_moe", "qwen3_moe-sparse", "gpt_oss", "gpt_oss-router"]
# targets of adapters other than all linear modules
ADAPTERS = {
    "qwen3_moe-experts": dict(target_modules=[], target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj"],
                              rank_pattern={"experts.down_proj": 3}, alpha_pattern={"experts.gate_up_proj": 6}),
    "qwen3_moe-down": dict(target_modules=["q_proj", "v_proj"], target_parameters=["experts.down_proj"], use_rslora=True),
    "gpt_oss-experts": dict(target_modules=["q_proj", "k_proj", "v_proj", "o_proj"],
                            target_parameters=["mlp.experts.gate_up_proj", "mlp.experts.down_proj"],
                            rank_pattern={"experts.down_proj": 3}, alpha_pattern={"experts.gate_up_proj": 6}),
    "gpt_oss-mxfp4": dict(target_modules=["q_proj", "v_proj"], target_parameters=["experts.gate_up_proj", "experts.down_proj"]),
    "gpt_oss-router": dict(target_modules=[], target_parameters=["router.weight", "experts.gate_up_proj"], use_rslora=True),
}
# a state that remembers for dozens of tokens
CENTRES = {"A_log": -2.5}
DOCUMENTS = {"qwen3_5_text-long": [140, 70, 64, 9]}

NF4 = torch.tensor([
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0])
SIGNED = torch.tensor([float(line) for line in (FOLDER.parent / "bnb-4bit/dynamic_map_signed.txt").read_text().split()])


def quantised(values, levels, block):
    """Codes and scales a block: the number of midpoints that value / scale is strictly above."""
    padded = torch.zeros(-(-values.numel() // block) * block, dtype=values.dtype)
    padded[: values.numel()] = values.flatten()
    blocks = padded.view(-1, block)
    scales = blocks.abs().amax(1)
    scaled = blocks * (1 / scales.clamp(min=1e-38)).unsqueeze(1)
    middles = ((levels[:-1] + levels[1:]) / 2).to(values.dtype)
    return torch.bucketize(scaled.clamp(-1, 1), middles).flatten()[: values.numel()], scales


def dequantised(codes, scales, levels, block):
    return levels[codes] * scales.repeat_interleave(block)[: codes.numel()]


def nf4(weight):
    """The weight after NF4 with double quantisation, and all its codes."""
    codes, scales = quantised(weight, NF4.to(weight.dtype), 64)
    offset = scales.mean()
    scale_codes, nested = quantised(scales - offset, SIGNED.to(weight.dtype), 256)
    scales = dequantised(scale_codes, nested, SIGNED.to(weight.dtype), 256) + offset
    return dequantised(codes, scales, NF4.to(weight.dtype), 64).view(weight.shape), torch.cat([codes, scale_codes])


def robust(weight):
    """No code may hang on the last bits of the arithmetic."""
    return torch.equal(nf4(weight)[1], nf4(weight.double())[1])


def linears(model):
    head = model.get_output_embeddings()
    return {name: module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear) and module is not head}


def experts(model):
    """Each expert's matrices, by their names on the hub or, of gpt_oss, by names of the same form."""
    for name, parameter in model.named_parameters():
        if parameter.ndim == 3 and ".mlp.experts." in name:
            yield from hub_parts(name, parameter.data, is_interleaved(model.config))


def is_interleaved(config):
    """Whether rows are inputs, and columns of gate and up alternate."""
    return config.model_type == "gpt_oss"


def hub_parts(name, fused, interleaved):
    path, kind = name.rsplit(".", 1)
    for i, stored in enumerate(fused):
        matrix = stored.T if interleaved else stored
        if kind == "gate_up_proj":
            gate, up = (matrix[0::2], matrix[1::2]) if interleaved else matrix.chunk(2)
            yield f"{path}.{i}.gate_proj.weight", gate
            yield f"{path}.{i}.up_proj.weight", up
        else:
            yield f"{path}.{i}.{kind}.weight", matrix


def with_hub_names(tensors, config):
    """Tensors named as in checkpoints on the hub, where experts are apart."""
    apart = {}
    for name, tensor in tensors.items():
        if ".mlp.experts." in name and tensor.ndim == 3:
            apart.update(hub_parts(name, tensor, is_interleaved(config)))
        else:
            apart[name] = tensor
    return apart


def save_filled(model, folder, seed):
    """Stores the model with random weights whose NF4 codes are robust."""
    quantisable = {id(module.weight) for module in linears(model).values()}
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        neutral = parameter.data.clone() if "norm" in name else torch.full_like(parameter, CENTRES.get(name.rsplit(".", 1)[-1], 0.0))
        if "q_norm" in name and model.config.model_type.startswith("gemma4"):
            neutral *= 0.3  # scores are not scaled: of queries as long as others' float32 would keep fewer digits of a gradient
        if name.endswith("sinks"):
            neutral += 0.7  # as much as a token
        deviation = {1: 0.1, 2: 0.15, 3: 0.15 if ".experts." in name else 0.5}[parameter.ndim]
        while True:
            parameter.data.copy_(neutral + deviation * torch.randn(parameter.shape, generator=generator))
            if id(parameter) not in quantisable or robust(parameter.data):
                break
    for name, matrix in experts(model):
        while not robust(matrix.contiguous()):
            matrix.copy_(0.15 * torch.randn(matrix.shape, generator=generator))
    for name, buffer in model.named_buffers():
        if name.endswith("layer_scalar"):
            buffer.copy_(0.8 + 0.1 * torch.randn(buffer.shape, generator=generator))
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)


def store_in_mxfp4(folder, seed):
    """Puts random MXFP4 weights, whose NF4 codes are robust, in the place of those of experts."""
    generator = torch.Generator().manual_seed(seed)
    tensors = load_file(folder / "model.safetensors")
    for name in [name for name in tensors if name.endswith(("experts.gate_up_proj", "experts.down_proj"))]:
        experts, inputs, outputs = tensors.pop(name).shape
        blocks = torch.empty(experts, outputs, inputs // 32, 16, dtype=torch.uint8)
        scales = torch.empty(experts, outputs, inputs // 32, dtype=torch.uint8)
        while True:
            blocks.random_(0, 256, generator=generator)
            scales.random_(121, 125, generator=generator)
            wide = convert_moe_packed_tensors(blocks, scales, dtype=torch.float32)
            if all(robust(matrix.contiguous()) for _, matrix in hub_parts(name, wide, True)):
                break
        tensors[f"{name}_blocks"], tensors[f"{name}_scales"] = blocks, scales
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = dict(
        quant_method="mxfp4", modules_to_not_convert=["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"])
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def save_adapter(model, folder):
    """Stores the adapter as one of the model in the folder base beside it."""
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "base"
    config["target_modules"] = sorted(config["target_modules"])
    if config.get("target_parameters"):
        config["target_parameters"] = sorted(config["target_parameters"])
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2, sort_keys=True))


def make_base(family, folder, seed):
    torch.manual_seed(seed)
    config = AutoConfig.for_model(family.split("-")[0], **{**COMMON, **FAMILIES[family]})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    save_filled(model, folder, seed)
    if family.endswith("-mxfp4"):
        store_in_mxfp4(folder, seed)


def load(folder, quantise=False):
    packed = "quantization_config" in json.loads((folder / "config.json").read_text())
    options = dict(quantization_config=Mxfp4Config(dequantize=True)) if packed else {}
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager", **options)
    if quantise:
        for module in linears(model).values():
            module.weight.data.copy_(nf4(module.weight.data)[0])
        for _, matrix in experts(model):
            matrix.copy_(nf4(matrix.contiguous())[0])
    return model


def make_adapter(base, folder, seed, targets):
    torch.manual_seed(seed)
    model = get_peft_model(load(base), LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=16, **targets))
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) * (0.1 if "lora_A" in name else 0.05))
    save_adapter(model, folder)


def make_batch(seed, lengths=LENGTHS):
    """The first documents begin with a prompt; the last has none."""
    generator = torch.Generator().manual_seed(seed)
    width = max(lengths)
    batch = dict(input_ids=[], labels=[], attention_mask=[])
    for i, length in enumerate(lengths):
        ids = torch.randint(3, VOCABULARY, (length,), generator=generator).tolist()
        prompt = 0 if i == len(lengths) - 1 else 3 + i
        batch["input_ids"].append(ids + [0] * (width - length))
        batch["labels"].append([-100] * prompt + ids[prompt:] + [-100] * (width - length))
        batch["attention_mask"].append([1] * length + [0] * (width - length))
    return batch


def packed(batch, width):
    """The same documents in one row; a document's first token is never trained."""
    row = dict(input_ids=[], labels=[], segment_ids=[], position_ids=[])
    for segment, (ids, labels, mask) in enumerate(zip(batch["input_ids"], batch["labels"], batch["attention_mask"])):
        length = sum(mask)
        row["input_ids"] += ids[:length]
        row["labels"] += [-100] + labels[1:length]
        row["segment_ids"] += [segment] * length
        row["position_ids"] += list(range(length))
    rest = width - len(row["input_ids"])
    filling = dict(input_ids=0, labels=-100, segment_ids=-1, position_ids=0)
    return {key: [values + [filling[key]] * rest] for key, values in row.items()}


def run(model, parameters, batch):
    """Loss sum, number of trained tokens, logits, and gradients of the mean loss."""
    model.eval()
    ids, labels, mask = (torch.tensor(batch[key]) for key in ("input_ids", "labels", "attention_mask"))
    logits = model(input_ids=ids, attention_mask=mask, use_cache=False).logits
    flat, targets = logits[:, :-1].reshape(-1, logits.shape[-1]), labels[:, 1:].reshape(-1)
    loss = torch.nn.functional.cross_entropy(flat, targets, ignore_index=-100, reduction="sum")
    tokens = int((targets != -100).sum())
    (loss / tokens).backward()
    gradients = {name.replace(".default", ""): parameter.grad for name, parameter in parameters.items()}
    assert all(gradient.abs().max() > 0 for gradient in gradients.values())
    return loss.item(), tokens, (logits * mask.unsqueeze(-1)).detach(), gradients


def steps(model, parameters, batch):
    """Five clipped AdamW steps: the mean loss before each and after the last, and what they make of the parameters."""
    optimiser = torch.optim.AdamW(list(parameters.values()), lr=1e-3, weight_decay=0.01, foreach=False)
    losses = []
    for step in range(6):
        model.zero_grad(set_to_none=True)
        loss, tokens, _, _ = run(model, parameters, batch)
        losses.append(loss / tokens)
        if step < 5:
            torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.0, foreach=False)
            optimiser.step()
    return losses, {name.replace(".default", ""): parameter.detach().clone() for name, parameter in parameters.items()}


def make_expected(folder, batch):
    tensors, numbers = {}, {"versions": {"torch": torch.__version__.split("+")[0], "transformers": transformers.__version__}}
    for mode in ("lora_f32", "qlora_nf4_dq", "full_f32"):
        model = load(folder / "base", mode == "qlora_nf4_dq")
        if mode != "full_f32":
            model = PeftModel.from_pretrained(model, folder / "adapter", is_trainable=True)
        parameters = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        loss, tokens, logits, gradients = run(model, parameters, batch)
        numbers[mode] = dict(loss_sum=loss, n_tokens=tokens)
        tensors.update({f"{mode}.grad.{name}": gradient.clone(memory_format=torch.contiguous_format) for name, gradient in with_hub_names(gradients, model.config).items()})
        if mode != "full_f32":
            tensors[f"{mode}.logits"] = logits.contiguous()
            numbers[mode]["losses"], after = steps(model, parameters, batch)
            tensors.update({f"{mode}.after5.{name}": value for name, value in after.items()})
    save_file(tensors, folder / "expected.safetensors")
    (folder / "expected.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(folder.name, numbers)


def make_balanced(folder, batch):
    """Loss and gradients with the loss that balances experts, which transformers adds to the mean loss."""
    tensors, numbers = {}, {}
    ids, labels, mask = (torch.tensor(batch[key]) for key in ("input_ids", "labels", "attention_mask"))
    for mode in ("lora_f32", "full_f32"):
        model = load(folder / "base")
        model.router_aux_loss_coef = BALANCE
        if mode == "lora_f32":
            model = PeftModel.from_pretrained(model, folder / "adapter", is_trainable=True)
        model.eval()
        output = model(input_ids=ids, attention_mask=mask, labels=labels, output_router_logits=True, use_cache=False)
        output.loss.backward()
        tokens = int((labels[:, 1:] != -100).sum())
        numbers[mode] = dict(loss_sum=output.loss.item() * tokens, n_tokens=tokens, balance=output.aux_loss.item())
        parameters = {name.replace(".default", ""): parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
        gradients = with_hub_names({name: parameter.grad for name, parameter in parameters.items()}, model.config)
        tensors.update({f"{mode}.grad.{name}": gradient.clone(memory_format=torch.contiguous_format) for name, gradient in gradients.items()})
    save_file(tensors, folder / "balanced.safetensors")
    (folder / "balanced.json").write_text(json.dumps(numbers, indent=1) + "\n")
    print(folder.name, numbers)


def make(family, seed):
    folder = FOLDER / family
    shutil.rmtree(folder, ignore_errors=True)
    make_base(family, folder / "base", seed)
    make_adapter(folder / "base", folder / "adapter", seed + 100, ADAPTERS.get(family, dict(target_modules="all-linear")))
    lengths = DOCUMENTS.get(family, LENGTHS)
    batch = make_batch(seed, lengths)
    (folder / "batch.json").write_text(json.dumps(batch) + "\n")
    (folder / "packed.json").write_text(json.dumps(packed(batch, sum(lengths) + 6)) + "\n")
    make_expected(folder, batch)
    if family in BALANCED:
        make_balanced(folder, batch)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for seed, family in enumerate(FAMILIES, start=31):
        if family in sys.argv[1:] or len(sys.argv) == 1:
            make(family, seed)
