package org.sparkqlora.weights.gguf;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;
import java.util.Optional;

/**
 * Byte-pair encoding over characters, as SentencePiece does it: blanks are written {@value #BLANK}, and characters that no
 * piece has become tokens of their bytes.
 *
 * @param merges in order of priority
 * @param prefix whether a blank goes before every stretch of text between special tokens
 */
record SentencePieceEncodingJson(List<PieceMerge> merges, boolean prefix) implements GgufEncodingJson {
    /** A blank within a piece. */
    static final String BLANK = "\u2581";

    private static final String TYPE = "type";

    SentencePieceEncodingJson {
        merges = List.copyOf(merges);
    }

    @Override
    public Optional<ObjectNode> normalizer() {
        ObjectNode blanks = replace(" ", BLANK);
        if (!prefix) {
            return Optional.of(blanks);
        }

        ObjectNode sequence = object("Sequence");
        sequence.putArray("normalizers")
                .add(object("Prepend").put("prepend", BLANK))
                .add(blanks);
        return Optional.of(sequence);
    }

    @Override
    public Optional<ObjectNode> preTokenizer() {
        return Optional.empty();
    }

    @Override
    public ObjectNode decoder() {
        ObjectNode sequence = object("Sequence");
        ArrayNode steps = sequence.putArray("decoders");
        steps.add(replace(BLANK, " ")).add(object("ByteFallback")).add(object("Fuse"));
        if (prefix) {
            steps.add(object("Strip").put("content", " ").put("start", 1).put("stop", 0));
        }

        return sequence;
    }

    @Override
    public void describe(ObjectNode model) {
        model.put("fuse_unk", true).put("byte_fallback", true).put("ignore_merges", false);
        ArrayNode list = model.putArray("merges");
        merges.forEach(merge -> list.addArray().add(merge.left()).add(merge.right()));
    }

    @Override
    public boolean beginsUnasked() {
        return true;
    }

    private static ObjectNode replace(String what, String by) {
        ObjectNode step = object("Replace").put("content", by);
        step.putObject("pattern").put("String", what);
        return step;
    }

    private static ObjectNode object(String type) {
        return JsonNodeFactory.instance.objectNode().put(TYPE, type);
    }
}
