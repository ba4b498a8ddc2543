package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import java.util.stream.Stream;

/** Writes {@code tokenizer.json} and {@code tokenizer_config.json} as Hugging Face's tokenizers read them. */
record GgufTokenizerJson(GgufVocabulary vocabulary) {
    private static final String TYPE = "type";
    private static final String SPECIAL = "special";

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

        GgufEncodingJson encoding = vocabulary.encoding();
        root.set("normalizer", encoding.normalizer().orElse(null));
        root.set("pre_tokenizer", encoding.preTokenizer().orElse(null));
        root.set("post_processor", postProcessor().orElse(null));
        root.set("decoder", encoding.decoder());
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

    /** The post-processor that adds the file's special tokens to every text. */
    private Optional<ObjectNode> postProcessor() {
        Optional<String> leading = vocabulary.leading();
        Optional<String> trailing = vocabulary.trailing();
        if (leading.isEmpty() && trailing.isEmpty()) {
            return Optional.empty();
        }

        ObjectNode processor = object().put(TYPE, "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        addText(single, "A", 0);
        ArrayNode pair = processor.putArray("pair");
        addText(pair, "A", 0);
        addText(pair, "B", 1);
        ObjectNode specials = processor.putObject("special_tokens");
        Stream.concat(leading.stream(), trailing.stream()).forEach(token -> addSpecial(specials, token));
        return Optional.of(processor);
    }

    private void addText(ArrayNode template, String name, int typeId) {
        vocabulary.leading().ifPresent(token -> addToken(template, token, typeId));
        template.addObject().putObject("Sequence").put("id", name).put("type_id", typeId);
        vocabulary.trailing().ifPresent(token -> addToken(template, token, typeId));
    }

    private static void addToken(ArrayNode template, String token, int typeId) {
        template.addObject().putObject("SpecialToken").put("id", token).put("type_id", typeId);
    }

    private void addSpecial(ObjectNode specials, String token) {
        ObjectNode special = specials.putObject(token).put("id", token);
        special.putArray("ids").add(vocabulary.tokens().indexOf(token));
        special.putArray("tokens").add(token);
    }

    private ObjectNode model() {
        ObjectNode model = object().put(TYPE, "BPE");
        Stream.of("dropout", "continuing_subword_prefix", "end_of_word_suffix").forEach(model::putNull);
        model.put("unk_token", vocabulary.unknown().orElse(null));
        vocabulary.encoding().describe(model);
        ObjectNode ids = model.putObject("vocab");
        for (int id = 0; id < vocabulary.tokens().size(); id++) {
            ids.put(vocabulary.tokens().get(id), id);
        }

        return model;
    }

    private static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }
}
