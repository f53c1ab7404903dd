"""A language model of random weights, by llama.cpp on its CANN backend and on its CPU backend.

Arguments: a folder for the models. The models have the architecture of Llama, two layers, grouped
query heads and a small vocabulary of whole bytes.
"""

import os
import sys
from pathlib import Path

import gguf
import llama_cpp
import numpy as np
from cases import case, done

FOLDER = Path(sys.argv[1])
LAYERS, WIDTH, HEADS, KV_HEADS, FORWARD = 2, 256, 4, 2, 512
WORDS = [f"\u2581{word}" for word in ("the", "of", "and", "to", "in", "is", "that", "for")]
VOCABULARY = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *WORDS]
PROMPT = "the model is in that room, and the tokens of it are the same"
TOKENS = 48


def write(kind):
    """Write a model whose matrices have this type, and return its path."""
    path = FOLDER / f"{kind.name.lower()}.gguf"
    if path.exists():
        return path
    rng = np.random.default_rng(7)
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_vocab_size(len(VOCABULARY))
    writer.add_tokenizer_model("llama")
    writer.add_token_list(VOCABULARY)
    writer.add_token_scores([-float(i) for i in range(len(VOCABULARY))])
    special = [gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
    words = [gguf.TokenType.NORMAL] * len(WORDS)
    writer.add_token_types([*special, *[gguf.TokenType.BYTE] * 256, *words])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)

    def add(name, values):
        data = gguf.quantize(values.astype("f4"), kind)
        writer.add_tensor(name, data, raw_dtype=kind)

    def matrix(name, rows, columns):
        add(name, rng.standard_normal((rows, columns)) / np.sqrt(columns))

    def norm(name):
        writer.add_tensor(name, rng.uniform(0.5, 1.5, WIDTH).astype("f4"))

    kv = WIDTH // HEADS * KV_HEADS
    # After each token another one is the likeliest, but the layers have a say: tokens do not
    # repeat, and most logits lie further apart than the backends' rounding.
    embedding = 0.3 * rng.standard_normal((len(VOCABULARY), WIDTH))
    add("token_embd.weight", embedding)
    for i in range(LAYERS):
        norm(f"blk.{i}.attn_norm.weight")
        matrix(f"blk.{i}.attn_q.weight", WIDTH, WIDTH)
        matrix(f"blk.{i}.attn_k.weight", kv, WIDTH)
        matrix(f"blk.{i}.attn_v.weight", kv, WIDTH)
        matrix(f"blk.{i}.attn_output.weight", WIDTH, WIDTH)
        norm(f"blk.{i}.ffn_norm.weight")
        matrix(f"blk.{i}.ffn_gate.weight", FORWARD, WIDTH)
        matrix(f"blk.{i}.ffn_up.weight", FORWARD, WIDTH)
        matrix(f"blk.{i}.ffn_down.weight", WIDTH, FORWARD)
    norm("output_norm.weight")
    add("output.weight", np.roll(embedding, 7, 0))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def generate(path, device, attention, given=None):
    """Return the greedy tokens after the prompt and their logits; each follows those of `given`."""
    layers = -1 if device == "CANN" else 0
    model = llama_cpp.Llama(
        str(path), n_gpu_layers=layers, n_ctx=256, n_threads=1, n_threads_batch=1, seed=1,
        logits_all=True, verbose=True, flash_attn=attention, offload_kqv=layers != 0,
        op_offload=layers != 0,
    )  # fmt: skip
    tokens = model.tokenize(PROMPT.encode())
    model.eval(tokens)
    made = []
    for step in range(TOKENS):
        made.append(int(np.argmax(model.scores[model.n_tokens - 1])))
        model.eval([made[-1] if given is None else given[step]])
    logits = np.array(model.scores[: model.n_tokens])
    model.close()
    return np.array(made), logits


def compare(kind, attention, limit):
    mode = "captured" if os.environ["GGML_CANN_ACL_GRAPH"] == "on" else "eager"
    name = f"{kind.name}, {'flash attention' if attention else 'attention'}, {mode}"

    @case(name)
    def _():
        path = write(kind)
        expected, wanted = generate(path, "CPU", attention)
        found, logits = generate(path, "CANN", attention, expected)
        # In standard deviations of a logit.
        error = float(np.abs(logits - wanted).max() / wanted.std())
        best = np.sort(wanted[-TOKENS - 1 : -1], -1)
        margin = (best[:, -1] - best[:, -2]) / wanted.std()
        print("#", name, "largest difference:", error, "smallest margin:", margin.min())
        assert error < limit, f"logits differ by {error} standard deviations"
        assert len(set(expected)) > 20, "the tokens repeat: they would show nothing"
        # Tokens whose logits lie closer together than the two backends may go either way.
        clear = margin > 2 * limit
        assert clear.mean() > 0.5
        assert (found == expected)[clear].all(), f"tokens {found}, on the CPU {expected}"


for kind, limit in (
    (gguf.GGMLQuantizationType.F32, 2e-2),
    (gguf.GGMLQuantizationType.F16, 2e-2),
    # The CPU backend rounds activations to eight bits.
    (gguf.GGMLQuantizationType.Q8_0, 0.12),
    (gguf.GGMLQuantizationType.Q4_0, 0.12),
):
    for attention in (False, True):
        compare(kind, attention, limit)
done()
