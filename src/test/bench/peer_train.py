#!/usr/bin/env python3
"""QLoRA by PEFT, transformers and bitsandbytes on a CPU or a GPU: what `train` is measured beside.

    python peer_train.py --model MODEL --rows ROWS.jsonl --recipe default|lean|fast|lora|lora-fast|full --steps 6 --batch 4 --threads 2

Recipes: default = what PEFT's documentation says (prepare_model_for_kbit_training, gradient checkpointing, float32 norms and adapters);
lean = norms in bf16, gradient checkpointing; fast = norms in bf16, autocast, no checkpointing, which takes the most memory;
lora = the same base in 16 bits; lora-fast = so without checkpointing; full = all weights train. Rows are those of peer_rows.py, in file order.

With --device cuda all lies on the first GPU; float16 where the card has no bf16 is not tried.

Prints one JSON line: seconds and loss of every step, the peak of resident memory, and the matmul rate of this process.
"""
import argparse
import json
import os
import resource
import time

RECIPES = ("default", "lean", "fast", "lora", "lora-fast", "full")
KIB_A_GIB = 1 << 20


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--rows", required=True)
    parser.add_argument("--recipe", default="default", choices=RECIPES)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--precision", default="bf16", choices=("bf16", "fp32"), help="fp32 is faster where the processor has no AVX-512")
    parser.add_argument("--rank", type=int, default=16)
    parser.add_argument("--target-modules", default="all-linear", help="of LoRA, with commas")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--save-initial", help="folder for the adapter as it is before the first step")
    return parser.parse_args()


options = arguments()
os.environ["OMP_NUM_THREADS"] = str(options.threads)  # read when torch is loaded
os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training  # noqa: E402
from transformers import AutoModelForCausalLM, BitsAndBytesConfig, logging  # noqa: E402


PRECISION = {"bf16": torch.bfloat16, "fp32": torch.float32}[options.precision]


def load_model():
    logging.set_verbosity_error()
    placement = {"device_map": {"": 0}} if options.device == "cuda" else {}
    quantization = {}
    if options.recipe in ("default", "lean", "fast"):
        quantization["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=PRECISION
        )
    model = AutoModelForCausalLM.from_pretrained(options.model, dtype=PRECISION, **quantization, **placement)
    checkpointing = {"use_reentrant": False}
    if options.recipe == "default":
        model = prepare_model_for_kbit_training(
            model, use_gradient_checkpointing=True, gradient_checkpointing_kwargs=checkpointing
        )
    elif not options.recipe.endswith("fast"):
        model.gradient_checkpointing_enable(checkpointing)
        model.enable_input_require_grads()
    if options.recipe != "full":
        modules = options.target_modules if options.target_modules == "all-linear" else options.target_modules.split(",")
        lora = LoraConfig(r=options.rank, lora_alpha=2 * options.rank, target_modules=modules, task_type="CAUSAL_LM")
        model = get_peft_model(model, lora)
    model.train()
    model.config.use_cache = False
    return model


def batches():
    with open(options.rows, encoding="utf-8") as lines:
        rows = [json.loads(line)["input_ids"] for line in lines]
    for step in range(options.steps):
        picked = [rows[(step * options.batch + i) % len(rows)] for i in range(options.batch)]
        yield torch.tensor(picked, device=options.device)


def now():
    """Seconds; what was given to a GPU is done by then."""
    if options.device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def train(model):
    """Seconds and loss of every step."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=options.learning_rate, weight_decay=0.0)
    seconds, losses = [], []
    for ids in batches():
        start = now()
        with torch.autocast(options.device, torch.bfloat16, enabled=options.recipe == "fast" and options.precision == "bf16"):
            loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(now() - start)
        losses.append(loss.item())
    return seconds, losses


def matmul_tflops(m, k, n):
    left, right = (torch.randn(rows, k).to(options.device, torch.bfloat16) for rows in (m, n))
    times = []
    for _ in range(9):
        start = now()
        torch.nn.functional.linear(left, right)
        times.append(now() - start)
    return 2 * m * k * n / sorted(times)[len(times) // 2] / 1e12


def main():
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    model = load_model()
    if options.save_initial:
        model.save_pretrained(options.save_initial)
    seconds, losses = train(model)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB_A_GIB
    config = model.config
    print(json.dumps({
        "recipe": options.recipe, "seconds": seconds, "losses": losses, "peak_gib": peak,
        "matmul_tflops": matmul_tflops(2048, config.hidden_size, config.intermediate_size),
    }))


if __name__ == "__main__":
    main()
