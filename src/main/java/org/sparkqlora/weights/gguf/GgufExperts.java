package org.sparkqlora.weights.gguf;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.sparkqlora.weights.family.ExpertMatrix;

/**
 * One matrix of all experts of a layer: a tensor of GGUF, (experts, outputs, inputs), that holds as many tensors of Hugging Face, in
 * the order of the experts.
 */
record GgufExperts(int layer, ExpertMatrix matrix) {
    /** In the order in which llama.cpp's converter writes them. */
    private static final List<ExpertMatrix> ORDER = List.of(ExpertMatrix.DOWN, ExpertMatrix.GATE, ExpertMatrix.UP);

    private static final Pattern NAME = Pattern.compile("blk\\.(\\d{1,6})\\.ffn_(gate|up|down)_exps\\.weight");
    private static final Pattern HUGGING_FACE =
            Pattern.compile("model\\.layers\\.(\\d{1,6})\\.mlp\\.experts\\.(\\d{1,6})\\.(gate|up|down)_proj\\.weight");

    /** What the tensor {@code name} of a file holds; empty if that is no matrix of experts. */
    static Optional<GgufExperts> named(String name) {
        Matcher matcher = NAME.matcher(name);
        return matcher.matches()
                ? Optional.of(new GgufExperts(Integer.parseInt(matcher.group(1)), matrix(matcher.group(2))))
                : Optional.empty();
    }

    /** Those of the layer that the expert's weight {@code name}, as Hugging Face calls it, is of; none if it is of none. */
    static List<GgufExperts> ofLayer(String name) {
        Matcher matcher = HUGGING_FACE.matcher(name);
        return matcher.matches() ? ofLayer(Integer.parseInt(matcher.group(1))) : List.of();
    }

    private static List<GgufExperts> ofLayer(int layer) {
        return ORDER.stream().map(matrix -> new GgufExperts(layer, matrix)).toList();
    }

    private static ExpertMatrix matrix(String name) {
        return ExpertMatrix.valueOf(name.toUpperCase(Locale.ROOT));
    }

    /** As GGUF calls it. */
    String name() {
        return "blk." + layer + ".ffn_" + matrix.name().toLowerCase(Locale.ROOT) + "_exps.weight";
    }

    /** As Hugging Face calls the tensors in it. */
    List<String> weights(int experts) {
        return IntStream.range(0, experts)
                .mapToObj(expert -> matrix.weight(layer, expert))
                .toList();
    }
}
