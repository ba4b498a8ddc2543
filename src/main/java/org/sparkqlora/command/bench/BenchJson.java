package org.sparkqlora.command.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** The JSON documents of {@code bench}. */
final class BenchJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private BenchJson() {}

    /** {@code config.json} of a model of a named shape. */
    static String config(ModelShape shape) {
        ModelShape.Sizes sizes = shape.sizes();
        ObjectNode root = MAPPER.createObjectNode();
        root.putArray("architectures").add("LlamaForCausalLM");
        root.put("model_type", "llama");
        root.put("vocab_size", sizes.vocabulary());
        root.put("hidden_size", sizes.hidden());
        root.put("intermediate_size", sizes.intermediate());
        root.put("num_hidden_layers", sizes.layers());
        root.put("num_attention_heads", sizes.heads());
        root.put("num_key_value_heads", sizes.keyValueHeads());
        root.put("hidden_act", "silu");
        root.put("max_position_embeddings", 8192);
        root.put("rms_norm_eps", 1e-5);
        root.put("rope_theta", 10000.0);
        root.put("tie_word_embeddings", sizes.tied());
        root.put("eos_token_id", 2);
        root.put("torch_dtype", "bfloat16");
        return root.toPrettyString();
    }

    /** The summary: an object a group, units in the names. */
    static String summary(BenchReport report) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("command", "bench");
        root.put("model", report.model());
        BenchReport.BenchSetting setting = report.setting();
        root.putObject("setting")
                .put("threads", setting.threads())
                .put("sequence_length", setting.sequenceLength())
                .put("batch_size", setting.batchSize())
                .put("micro_batch_size", setting.microBatchSize())
                .put("rank", setting.rank());
        report.figures().forEach(figure -> root.withObject("/" + figure.group()).put(figure.name(), figure.value()));
        return root.toString();
    }
}
