"""Tiny configurations of each architecture: by case, the model_type and what differs from the
class's defaults. Between them they reach every option of the decoder builder."""

COMMON = dict(vocab_size=199, hidden_size=64, num_hidden_layers=4, num_attention_heads=4,
              num_key_value_heads=2, intermediate_size=96, max_position_embeddings=128,
              pad_token_id=0, bos_token_id=1, eos_token_id=2)
GPT = dict(vocab_size=199, n_embd=64, n_layer=3, n_head=4, n_positions=128, bos_token_id=1,
           eos_token_id=2)
LATENT = dict(q_lora_rank=24, kv_lora_rank=20, qk_rope_head_dim=8, qk_nope_head_dim=12,
              v_head_dim=10, head_dim=8, num_key_value_heads=4)
YARN = dict(rope_type="yarn", rope_theta=10000.0, factor=4.0, original_max_position_embeddings=32,
            beta_fast=32.0, beta_slow=1.0)
LLAMA3 = dict(rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=32, rope_theta=10000.0)
LONGROPE = dict(rope_type="longrope", rope_theta=10000.0, original_max_position_embeddings=64,
                short_factor=[1 + 0.1 * i for i in range(8)],
                long_factor=[2 + 0.3 * i for i in range(8)])
ALTERNATING = ["sliding_attention", "full_attention"] * 2
T5 = dict(vocab_size=199, d_model=64, d_kv=20, d_ff=96, num_layers=3, num_decoder_layers=2,
          num_heads=4, relative_attention_num_buckets=8, relative_attention_max_distance=10,
          pad_token_id=0, eos_token_id=1, decoder_start_token_id=0)
MOE = dict(num_experts=4, num_experts_per_tok=2)
SIGMOID = dict(n_routed_experts=4, num_experts_per_tok=2, n_shared_experts=1,
               moe_intermediate_size=24)


def of(model_type, common=COMMON, **changes):
    return model_type, {**common, **changes}


CASES = {
    "bloom": of("bloom", {}, vocab_size=199, hidden_size=64, n_layer=3, n_head=4),
    "bloom-6-heads": of("bloom", {}, vocab_size=199, hidden_size=96, n_layer=3, n_head=6,
                        apply_residual_connection_post_layernorm=True),
    "opt": of("opt", ffn_dim=96, word_embed_proj_dim=64),
    "opt-350m": of("opt", ffn_dim=96, word_embed_proj_dim=32, do_layer_norm_before=False),
    "gpt2": of("gpt2", GPT),
    "gpt-bigcode": of("gpt_bigcode", GPT),
    "gpt-bigcode-heads": of("gpt_bigcode", GPT, multi_query=False),
    "gpt-neo": of("gpt_neo", {}, vocab_size=199, hidden_size=64, num_layers=4, num_heads=4,
                  attention_types=[[["global", "local"], 2]], window_size=5,
                  max_position_embeddings=128, bos_token_id=1, eos_token_id=2),
    "gpt-neox": of("gpt_neox", hidden_act="gelu"),
    "gpt-neox-serial": of("gpt_neox", use_parallel_residual=False),
    "gptj": of("gptj", GPT, rotary_dim=8),
    "codegen": of("codegen", GPT, rotary_dim=8),
    "falcon-7b": of("falcon", num_kv_heads=None),
    "falcon-40b": of("falcon", new_decoder_architecture=True, num_kv_heads=2),
    "falcon-11b": of("falcon", new_decoder_architecture=True, num_kv_heads=2,
                     num_ln_in_parallel_attn=1),
    "falcon-rw": of("falcon", alibi=True, multi_query=False, parallel_attn=False, bias=True),
    "mpt": of("mpt", {}, d_model=64, n_heads=4, n_layers=3, vocab_size=199, max_seq_len=128),
    "mpt-6-heads": of("mpt", {}, d_model=96, n_heads=6, n_layers=3, vocab_size=199,
                      max_seq_len=128),
    "llama": of("llama"),
    "llama-biases": of("llama", attention_bias=True, mlp_bias=True, rope_parameters=dict(
        rope_type="linear", factor=2.0, rope_theta=10000.0)),
    "llama-3": of("llama", rope_parameters=LLAMA3),
    "llama-yarn": of("llama", rope_parameters=YARN),
    "llama-dynamic": of("llama", max_position_embeddings=16, rope_parameters=dict(
        rope_type="dynamic", factor=2.0, rope_theta=10000.0)),
    "llama-tied": of("llama", tie_word_embeddings=True, num_key_value_heads=1),
    "llama-heads": of("llama", head_dim=20, num_key_value_heads=4),
    "llama-shards": of("llama"),
    "llama-bin": of("llama", tie_word_embeddings=True),
    "llama-head-alone": of("llama", tie_word_embeddings=True),
    "mistral": of("mistral", sliding_window=5, head_dim=16),
    "ministral": of("ministral", sliding_window=5, head_dim=16, layer_types=ALTERNATING),
    "ministral3": of("ministral3", head_dim=16, rope_parameters=dict(
        YARN, original_max_position_embeddings=8, mscale=1.0, mscale_all_dim=1.0,
        llama_4_scaling_beta=0.1)),
    "mixtral": of("mixtral", num_local_experts=4),
    "qwen2": of("qwen2", use_sliding_window=True, sliding_window=5, max_window_layers=2),
    "qwen3": of("qwen3", head_dim=20),
    "qwen2-moe": of("qwen2_moe", **MOE, moe_intermediate_size=24,
                    shared_expert_intermediate_size=40),
    "qwen3-moe": of("qwen3_moe", **MOE, head_dim=20, moe_intermediate_size=24,
                    norm_topk_prob=True),
    "gemma": of("gemma", head_dim=20),
    "gemma2": of("gemma2", head_dim=20, sliding_window=5, query_pre_attn_scalar=24,
                 attn_logit_softcapping=2.0, final_logit_softcapping=5.0),
    "gemma3": of("gemma3_text", head_dim=20, sliding_window=5, query_pre_attn_scalar=24,
                 layer_types=ALTERNATING),
    "phi": of("phi"),
    "phi-norms": of("phi", qk_layernorm=True),
    "phi3": of("phi3", sliding_window=5),
    "phi3-long": of("phi3", original_max_position_embeddings=64, rope_parameters=LONGROPE),
    "stablelm": of("stablelm", use_qkv_bias=True),
    "stablelm-12b": of("stablelm", qk_layernorm=True, use_parallel_residual=True),
    "olmo": of("olmo", clip_qkv=0.7),
    "olmo2": of("olmo2"),
    "olmo3": of("olmo3", sliding_window=5),
    "olmoe": of("olmoe", **MOE),
    "cohere": of("cohere", use_qk_norm=True),
    "cohere2": of("cohere2", sliding_window=5, head_dim=16),
    "starcoder2": of("starcoder2", sliding_window=5),
    "deepseek-v2": ("deepseek_v2", {
        **COMMON, **LATENT, "n_routed_experts": 4, "num_experts_per_tok": 2,
        "moe_intermediate_size": 24, "first_k_dense_replace": 1, "n_shared_experts": 2,
        "routed_scaling_factor": 1.5}),
    "deepseek-v2-groups": ("deepseek_v2", {
        **COMMON, **LATENT, "q_lora_rank": None, "n_routed_experts": 8, "num_experts_per_tok": 2,
        "moe_intermediate_size": 24, "first_k_dense_replace": 1,
        "topk_method": "group_limited_greedy", "n_group": 4, "topk_group": 2,
        "rope_parameters": dict(YARN, mscale=0.7, mscale_all_dim=0.7)}),
    "deepseek-v3": ("deepseek_v3", {
        **COMMON, **LATENT, "n_routed_experts": 8, "num_experts_per_tok": 2,
        "moe_intermediate_size": 24, "first_k_dense_replace": 1, "n_group": 4, "topk_group": 2,
        "rope_parameters": dict(YARN, mscale=1.0, mscale_all_dim=1.0)}),
    "gpt-oss": of("gpt_oss", head_dim=16, sliding_window=5, num_local_experts=4,
                  num_experts_per_tok=2),
    "glm": of("glm", head_dim=16),
    "glm4": of("glm4", head_dim=16),
    "glm4-moe": of("glm4_moe", head_dim=16, use_qk_norm=True, n_routed_experts=4,
                   num_experts_per_tok=2, moe_intermediate_size=24),
    "granite": of("granite", embedding_multiplier=3.0, logits_scaling=2.0,
                  residual_multiplier=0.4, attention_multiplier=0.2),
    "granitemoe": of("granitemoe", num_local_experts=4, embedding_multiplier=3.0,
                     attention_multiplier=0.2, residual_multiplier=0.4),
    "smollm3": of("smollm3"),
    "nemotron": of("nemotron", head_dim=16),
    "exaone4": of("exaone4", head_dim=16, sliding_window=5),
    "minicpm3": ("minicpm3", {**COMMON, **LATENT}),
    "persimmon": of("persimmon"),
    "helium": of("helium", head_dim=16),
    "arcee": of("arcee"),
    "seed-oss": of("seed_oss", head_dim=16),
    "ernie4-5": of("ernie4_5", head_dim=16),
    "xglm": of("xglm", {}, vocab_size=199, d_model=64, ffn_dim=96, num_layers=3, attention_heads=4,
               max_position_embeddings=128, bos_token_id=1, eos_token_id=2, pad_token_id=0),
    "xglm-odd": of("xglm", {}, vocab_size=199, d_model=63, ffn_dim=96, num_layers=2,
                   attention_heads=3, max_position_embeddings=128, scale_embedding=False,
                   tie_word_embeddings=False),
    "biogpt": of("biogpt"),
    "apertus": of("apertus"),
    "phimoe": of("phimoe", num_local_experts=4, router_jitter_noise=0.2),
    "phimoe-long": of("phimoe", num_local_experts=4, attention_bias=True, lm_head_bias=True,
                      rope_parameters=dict(LONGROPE, short_mscale=1.25, long_mscale=1.25)),
    "llama4": of("llama4_text", head_dim=16, num_local_experts=4, intermediate_size_mlp=80,
                 interleave_moe_layer_step=2, attention_chunk_size=5, floor_scale=4,
                 attn_scale=0.5, use_qk_norm=True),
    "llama4-plain": of("llama4_text", head_dim=16, num_local_experts=4, intermediate_size_mlp=80,
                       num_experts_per_tok=2, use_qk_norm=False, attn_temperature_tuning=False),
    "t5": of("t5", T5),
    "t5-gated": of("t5", T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False),
    "t5-gated-silu": of("t5", T5, feed_forward_proj="gated-silu", num_decoder_layers=None),
    "t5-bin": of("t5", T5),
    "t5-encoder-alone": of("t5", T5),
    "mt5": of("mt5", T5),
    "umt5": of("umt5", T5),
    "hunyuan": of("hunyuan_v1_dense", head_dim=16),
    "cwm": of("cwm", head_dim=16, sliding_window=5, rope_parameters=LLAMA3),
    "dots1": of("dots1", **SIGMOID, first_k_dense_replace=1, sliding_window=5,
                max_window_layers=2, num_key_value_heads=4),
    "solar-open": of("solar_open", **SIGMOID, head_dim=16, attention_bias=True),
    "glm4-moe-lite": ("glm4_moe_lite", {**COMMON, **LATENT, **SIGMOID}),
    "youtu": ("youtu", {**COMMON, **LATENT, "pad_token_id": None}),
    "flex-olmo": of("flex_olmo", **MOE),
    "exaone-moe": of("exaone_moe", **MOE, head_dim=16, moe_intermediate_size=24,
                     sliding_window=5),
    "vaultgemma": of("vaultgemma", head_dim=20, sliding_window=5, query_pre_attn_scalar=24),
    "jais2": of("jais2", head_dim=16),
    "minimax-m2": of("minimax_m2", num_local_experts=4, num_experts_per_tok=2, head_dim=20),
    "hyperclovax": of("hyperclovax", head_dim=16, embedding_multiplier=3.0, logits_scaling=2.0,
                      residual_multiplier=0.4, attention_multiplier=0.2),
    "hyperclovax-plain": of("hyperclovax", head_dim=16, use_post_norm=False,
                            attention_multiplier=None),
    "mellum": of("mellum", num_local_experts=4, num_experts_per_tok=2, head_dim=16,
                 moe_intermediate_size=24, sliding_window=5, layer_types=ALTERNATING,
                 mlp_layer_types=["dense", "sparse"] * 2),
    "bitnet": of("bitnet"),
    "ernie4-5-moe": of("ernie4_5_moe", head_dim=16, moe_num_experts=4, moe_k=2,
                       moe_intermediate_size=24, moe_num_shared_experts=2),
    "ernie4-5-moe-few": of("ernie4_5_moe", moe_num_experts=4, moe_k=2, moe_intermediate_size=24,
                           moe_num_shared_experts=0, moe_layer_interval=2, use_bias=True,
                           tie_word_embeddings=False,
                           moe_layer_start_index=0, moe_layer_end_index=2),
    "granitemoeshared": of("granitemoeshared", num_local_experts=4, shared_intermediate_size=40,
                           attention_multiplier=0.2, residual_multiplier=0.4),
    "nanochat": of("nanochat"),
    "gpt-sw3": of("gpt-sw3", GPT),
}

# Windows: one that the prompt overfills, one that the first tokens of the output fill; of some, one
# that the prompt fills to the last token and one that nothing fills. A prompt has 13 tokens, and 10
# follow.
WINDOWED = ["mistral", "ministral", "ministral3", "mixtral", "qwen2", "qwen2-moe", "qwen3",
            "gemma2", "gemma3", "phi3", "phimoe", "olmo3", "cohere2", "starcoder2", "gpt-oss",
            "smollm3", "exaone4", "cwm", "vaultgemma"]
ASKED_FOR = {"qwen2": dict(max_window_layers=2), "qwen2-moe": dict(max_window_layers=2),
             "qwen3": dict(max_window_layers=2), "smollm3": {}}


ALL_LENGTHS = {"mistral", "gemma2", "gpt-oss"}


def windowed(case, window):
    model_type, changes = CASES[case]
    asked = dict(use_sliding_window=True, **ASKED_FOR[case]) if case in ASKED_FOR else {}
    return model_type, {**changes, **asked, "sliding_window": window}


CASES |= {f"{case}-window-{window}": windowed(case, window)
          for case in WINDOWED for window in (5, 13, 16, 40)
          if CASES[case][1].get("sliding_window") != window
          and (window in (5, 16) or case in ALL_LENGTHS)}

# How a case is stored, where not as save_pretrained does it by itself: in shards of so many bytes,
# by torch.save with all names of tied weights, or with a tied weight under another of its names.
SHARDS = {"llama-shards": 60_000}
PICKLED = {"llama-bin", "t5-bin"}
UNDER_OTHER_NAME = {"llama-head-alone": ("model.embed_tokens.weight", "lm_head.weight"),
                    "t5-encoder-alone": ("shared.weight", "encoder.embed_tokens.weight")}

# Models that are not run: their census is compared alone.
MAMBA = dict(vocab_size=199, hidden_size=64, num_hidden_layers=2, state_size=5)
MAMBA2 = dict(mamba_n_heads=8, mamba_d_head=16, mamba_d_state=5)
DELTA = dict(head_dim=24, linear_num_value_heads=4, linear_num_key_heads=2,
             linear_key_head_dim=12, linear_value_head_dim=10)
UNRUN = {
    "mamba": of("mamba", MAMBA),
    "mamba-biases": of("mamba", MAMBA, time_step_rank=7, use_bias=True, use_conv_bias=False,
                       tie_word_embeddings=False),
    "falcon-mamba": of("falcon_mamba", MAMBA),
    "mamba2": of("mamba2", MAMBA, num_heads=8, head_dim=16, n_groups=2),
    "rwkv": of("rwkv", {}, vocab_size=199, hidden_size=64, num_hidden_layers=2),
    "rwkv-wide": of("rwkv", {}, vocab_size=199, hidden_size=64, num_hidden_layers=2,
                    attention_hidden_size=64, intermediate_size=70, tie_word_embeddings=True),
    "lfm2": of("lfm2", layer_types=["conv", "full_attention"] * 2),
    "lfm2-exact": of("lfm2", block_auto_adjust_ff_dim=False, conv_bias=True,
                     full_attn_idxs=[0, 2]),
    "jamba": of("jamba", num_experts=4, attn_layer_period=4, attn_layer_offset=1),
    "jamba-dense": of("jamba", num_experts=1, mamba_dt_rank=7, mamba_proj_bias=True,
                      tie_word_embeddings=True),
    "falcon-h1": of("falcon_h1", mamba_d_ssm=48, mamba_n_heads=4, mamba_d_head=12,
                    mamba_d_state=5),
    "falcon-h1-norm": of("falcon_h1", mamba_d_ssm=None, mamba_n_heads=4, mamba_rms_norm=True,
                         mamba_n_groups=2, attention_bias=True, mlp_bias=True),
    "bamba": of("bamba", **MAMBA2, attn_layer_indices=[1]),
    "granite-4": of("granitemoehybrid", **MAMBA2, num_local_experts=4, num_experts_per_tok=2,
                    shared_intermediate_size=40, layer_types=["mamba", "attention"] * 2),
    "granite-4-dense": of("granitemoehybrid", **MAMBA2, num_local_experts=0,
                          position_embedding_type="rope"),
    "qwen3-next": of("qwen3_next", **MOE, **DELTA, moe_intermediate_size=24,
                     shared_expert_intermediate_size=40),
    "qwen3-5": of("qwen3_5_text", **DELTA),
    "qwen3-5-moe": of("qwen3_5_moe_text", **MOE, **DELTA, moe_intermediate_size=24,
                      shared_expert_intermediate_size=40),
    "gemma3n": of("gemma3n_text", head_dim=20, intermediate_size=[96, 80, 96, 96],
                  num_kv_shared_layers=1, vocab_size_per_layer_input=150, laurel_rank=6,
                  hidden_size_per_layer_input=12, layer_types=ALTERNATING),
    "gemma3n-one-width": of("gemma3n_text", num_kv_shared_layers=0, altup_num_inputs=3,
                            layer_types=ALTERNATING),
    "zamba": of("zamba", num_hidden_layers=9, num_key_value_heads=4, mamba_dt_rank=5),
    "zamba2": of("zamba2", num_key_value_heads=4, mamba_d_state=5, adapter_rank=7,
                 layers_block_type=["linear_attention", "hybrid"] * 2, use_mem_rope=True,
                 use_shared_attention_adapter=True),
    "zamba2-two-blocks": of("zamba2", num_hidden_layers=6, num_key_value_heads=4, mamba_d_state=5,
                            layers_block_type=["linear_attention"] + ["hybrid"] * 5,
                            num_mem_blocks=2, add_bias_linear=True),
    "dbrx": of("dbrx", {}, vocab_size=199, d_model=64, n_heads=4, n_layers=2,
               attn_config=dict(kv_n_heads=2, clip_qkv=8.0, rope_theta=500000.0),
               ffn_config=dict(ffn_hidden_size=24, moe_num_experts=4, moe_top_k=2)),
    "recurrent-gemma": of("recurrent_gemma", lru_width=60, num_hidden_layers=3),
}
