package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Byte-pair encoding over bytes, as GPT-2 began it.
 *
 * @param split how text is cut before merging
 * @param merges in order of priority, two tokens with a blank between
 */
record ByteLevelEncodingJson(GgufSplit split, List<String> merges) implements GgufEncodingJson {
    private static final String TYPE = "type";

    ByteLevelEncodingJson {
        merges = List.copyOf(merges);
    }

    @Override
    public Optional<ObjectNode> normalizer() {
        return split == GgufSplit.QWEN2 ? Optional.of(object("NFC")) : Optional.empty();
    }

    /** The splitting that {@code tokenizer} does, if it is one of those here. */
    static Optional<GgufSplit> splitOf(TokenizerSourceJson tokenizer) {
        JsonNode found = tokenizer.tokenizer().path("pre_tokenizer");
        return Arrays.stream(GgufSplit.values())
                .filter(split -> split.keepsWholeWords()
                        == tokenizer.model().path("ignore_merges").asBoolean())
                .filter(split -> steps(found)
                        .equals(steps(new ByteLevelEncodingJson(split, List.of())
                                .preTokenizer()
                                .orElseThrow())))
                .findFirst();
    }

    /** The steps of a sequence, or the one step that it is, without what does not change ids. */
    private static List<JsonNode> steps(JsonNode preTokenizer) {
        List<JsonNode> steps = new ArrayList<>();
        JsonNode several = preTokenizer.path("pretokenizers");
        (several.isArray() ? several : List.of(preTokenizer)).forEach(step -> {
            JsonNode copy = step.deepCopy();
            if (copy instanceof ObjectNode object) {
                object.remove("trim_offsets");
            }

            steps.add(copy);
        });
        return steps;
    }

    @Override
    public Optional<ObjectNode> preTokenizer() {
        ObjectNode sequence = object("Sequence");
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
        return Optional.of(sequence);
    }

    @Override
    public ObjectNode decoder() {
        return byteLevel(true).put("add_prefix_space", true);
    }

    @Override
    public void describe(ObjectNode model) {
        model.put("fuse_unk", false).put("byte_fallback", false);
        model.put("ignore_merges", split.keepsWholeWords());
        ArrayNode list = model.putArray("merges");
        merges.forEach(list::add);
    }

    @Override
    public boolean beginsUnasked() {
        return split.beginsUnasked();
    }

    private static ObjectNode byteLevel(boolean ownExpression) {
        return object("ByteLevel").put("trim_offsets", true).put("use_regex", ownExpression);
    }

    private static ObjectNode object(String type) {
        return JsonNodeFactory.instance.objectNode().put(TYPE, type);
    }
}
