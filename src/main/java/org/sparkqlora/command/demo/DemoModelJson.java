package org.sparkqlora.command.demo;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.sparkqlora.command.SummaryJson;

/** The JSON documents of the demo's model folder and data, as Hugging Face's libraries write them. */
public final class DemoModelJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private DemoModelJson() {}

    static String config(DemoShape shape) {
        ObjectNode root = MAPPER.createObjectNode();
        root.putArray("architectures").add("LlamaForCausalLM");
        root.put("model_type", "llama");
        root.put("vocab_size", shape.vocabulary());
        root.put("hidden_size", shape.hidden());
        root.put("intermediate_size", shape.intermediate());
        root.put("num_hidden_layers", shape.layers());
        root.put("num_attention_heads", shape.heads());
        root.put("num_key_value_heads", shape.keyValueHeads());
        root.put("head_dim", shape.headSize());
        root.put("hidden_act", "silu");
        root.put("max_position_embeddings", shape.positions());
        root.put("rms_norm_eps", 1e-5);
        root.put("rope_theta", 10000.0);
        root.put("tie_word_embeddings", true);
        root.put("attention_bias", false);
        root.put("mlp_bias", false);
        root.put("eos_token_id", DemoVocabulary.END);
        root.put("pad_token_id", DemoVocabulary.PAD);
        root.put("torch_dtype", "float32");
        return root.toPrettyString();
    }

    /** A tokenizer that knows whole words. */
    static String tokenizer(List<String> words) {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("version", "1.0");
        root.putNull("truncation");
        root.putNull("padding");
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < DemoVocabulary.SPECIAL.size(); id++) {
            writeSpecial(id, added.addObject());
        }

        root.putNull("normalizer");
        root.putObject("pre_tokenizer").put("type", "Whitespace");
        root.putNull("post_processor");
        root.putObject("decoder").put("type", "WordPiece").put("prefix", "##").put("cleanup", true);
        ObjectNode model = root.putObject("model");
        model.put("type", "WordLevel");
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < words.size(); id++) {
            vocabulary.put(words.get(id), id);
        }

        model.put("unk_token", DemoVocabulary.SPECIAL.get(DemoVocabulary.UNKNOWN));
        return root.toPrettyString();
    }

    static String tokenizerConfig() {
        ObjectNode root = MAPPER.createObjectNode();
        root.put("tokenizer_class", "PreTrainedTokenizerFast");
        root.put("eos_token", DemoVocabulary.SPECIAL.get(DemoVocabulary.END));
        root.put("pad_token", DemoVocabulary.SPECIAL.get(DemoVocabulary.PAD));
        root.put("unk_token", DemoVocabulary.SPECIAL.get(DemoVocabulary.UNKNOWN));
        root.put("chat_template", DemoVocabulary.CHAT_TEMPLATE);
        return root.toPrettyString();
    }

    /** A record of the {@code messages} format. */
    public static String messages(DemoLanguage.DemoTurn turn) {
        ObjectNode root = MAPPER.createObjectNode();
        ArrayNode messages = root.putArray("messages");
        messages.addObject().put("role", "user").put("content", turn.question());
        messages.addObject().put("role", "assistant").put("content", turn.answer());
        return root.toString();
    }

    private static void writeSpecial(int id, ObjectNode node) {
        node.put("id", id);
        node.put("content", DemoVocabulary.SPECIAL.get(id));
        node.put("single_word", false);
        node.put("lstrip", false);
        node.put("rstrip", false);
        node.put("normalized", false);
        node.put("special", true);
    }

    public static String demonstrated(
            Demo.DemoResult before, Demo.DemoResult after, String question, Path adapter, double seconds) {
        ObjectNode root = SummaryJson.of("demo");
        root.put("loss_before", before.loss());
        root.put("loss_after", after.loss());
        root.put("question", question);
        root.put("answer_before", before.answer());
        root.put("answer_after", after.answer());
        root.put("adapter", adapter.toString());
        root.put("seconds", seconds);
        return root.toString();
    }
}
