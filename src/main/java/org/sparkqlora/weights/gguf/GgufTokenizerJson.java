package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.stream.Stream;

/** Writes {@code tokenizer.json} and {@code tokenizer_config.json} as Hugging Face's tokenizers read them. */
final class GgufTokenizerJson {
    private static final String TYPE = "type";
    private static final String SPECIAL = "special";
    private static final String BYTE_LEVEL = "ByteLevel";

    private final GgufVocabulary vocabulary;

    GgufTokenizerJson(GgufVocabulary vocabulary) {
        this.vocabulary = vocabulary;
    }

    /** The text of {@code tokenizer.json}. */
    String tokenizer() {
        ObjectNode root = object().put("version", "1.0");
        Stream.of("truncation", "padding").forEach(root::putNull);
        ArrayNode added = root.putArray("added_tokens");
        for (int id = 0; id < vocabulary.tokens().size(); id++) {
            if (isAdded(id)) {
                added.add(addedToken(object().put("id", id), id));
            }
        }

        root.set("normalizer", vocabulary.split() == GgufSplit.QWEN2 ? object().put(TYPE, "NFC") : null);
        root.set("pre_tokenizer", preTokenizer());
        root.set("post_processor", vocabulary.leading().map(this::begin).orElse(null));
        root.set("decoder", byteLevel(true).put("add_prefix_space", true));
        root.set("model", model());
        return root.toString();
    }

    /** The text of {@code tokenizer_config.json}. */
    String config(int longest) {
        ObjectNode root = object().put("tokenizer_class", "PreTrainedTokenizerFast");
        root.put("add_prefix_space", false);
        vocabulary.special("bos").ifPresent(token -> root.put("bos_token", token));
        vocabulary.special("eos").ifPresent(token -> root.put("eos_token", token));
        vocabulary.special("unknown").ifPresent(token -> root.put("unk_token", token));
        vocabulary.special("padding").ifPresent(token -> root.put("pad_token", token));
        root.put("model_max_length", longest);
        root.put("clean_up_tokenization_spaces", false);
        vocabulary.chatTemplate().ifPresent(template -> root.put("chat_template", template));
        ObjectNode decoder = root.putObject("added_tokens_decoder");
        for (int id = 0; id < vocabulary.tokens().size(); id++) {
            if (isAdded(id)) {
                decoder.set(String.valueOf(id), addedToken(object(), id));
            }
        }

        return root.toPrettyString() + "\n";
    }

    private boolean isAdded(int id) {
        long kind = vocabulary.kinds().get(id);
        return kind == GgufVocabulary.CONTROL || kind == GgufVocabulary.USER_DEFINED;
    }

    private ObjectNode addedToken(ObjectNode token, int id) {
        token.put("content", vocabulary.tokens().get(id));
        Stream.of("single_word", "lstrip", "rstrip", "normalized").forEach(flag -> token.put(flag, false));
        return token.put(SPECIAL, vocabulary.kinds().get(id) == GgufVocabulary.CONTROL);
    }

    private ObjectNode preTokenizer() {
        GgufSplit split = vocabulary.split();
        ObjectNode sequence = object().put(TYPE, "Sequence");
        ArrayNode steps = sequence.putArray("pretokenizers");
        if (split == GgufSplit.DIGITS) {
            steps.addObject().put(TYPE, "Digits").put("individual_digits", true);
        }

        if (!split.expression().isEmpty()) {
            ObjectNode step = steps.addObject().put(TYPE, "Split");
            step.putObject("pattern").put("Regex", split.expression());
            step.put("behavior", "Isolated").put("invert", false);
        }

        steps.add(byteLevel(split.expression().isEmpty()).put("add_prefix_space", false));
        return sequence;
    }

    private static ObjectNode byteLevel(boolean ownExpression) {
        return object().put(TYPE, BYTE_LEVEL).put("trim_offsets", true).put("use_regex", ownExpression);
    }

    /** A post-processor that puts {@code token} before every text. */
    private ObjectNode begin(String token) {
        ObjectNode processor = object().put(TYPE, "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        addSpecial(single, token, 0);
        addSequence(single, "A", 0);
        ArrayNode pair = processor.putArray("pair");
        addSpecial(pair, token, 0);
        addSequence(pair, "A", 0);
        addSpecial(pair, token, 1);
        addSequence(pair, "B", 1);
        ObjectNode special =
                processor.putObject("special_tokens").putObject(token).put("id", token);
        special.putArray("ids").add(vocabulary.tokens().indexOf(token));
        special.putArray("tokens").add(token);
        return processor;
    }

    private static void addSpecial(ArrayNode template, String token, int typeId) {
        template.addObject().putObject("SpecialToken").put("id", token).put("type_id", typeId);
    }

    private static void addSequence(ArrayNode template, String name, int typeId) {
        template.addObject().putObject("Sequence").put("id", name).put("type_id", typeId);
    }

    private ObjectNode model() {
        ObjectNode model = object().put(TYPE, "BPE");
        Stream.of("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")
                .forEach(model::putNull);
        model.put("fuse_unk", false).put("byte_fallback", false);
        model.put("ignore_merges", vocabulary.split() == GgufSplit.LLAMA3);
        ObjectNode ids = model.putObject("vocab");
        for (int id = 0; id < vocabulary.tokens().size(); id++) {
            ids.put(vocabulary.tokens().get(id), id);
        }

        ArrayNode merges = model.putArray("merges");
        vocabulary.merges().forEach(merges::add);
        return model;
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }
}
