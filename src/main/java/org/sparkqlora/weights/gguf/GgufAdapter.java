package org.sparkqlora.weights.gguf;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.sparkqlora.input.BadInputException;
import org.sparkqlora.quant.FloatSource;
import org.sparkqlora.weights.family.ModelConfig;
import org.sparkqlora.weights.safetensors.InvalidWeightsException;

/**
 * A LoRA adapter as a GGUF file, as {@code convert_lora_to_gguf.py} of llama.cpp makes it. A server adds {@code alpha / rank * B A}
 * to a weight, where the rank is that of the weight's own A and B.
 */
public final class GgufAdapter {
    private GgufAdapter() {}

    /**
     * The low-rank term of one weight, {@code scale * B A}.
     *
     * @param weight Hugging Face's name of the weight
     * @param rank rows of A and columns of B
     * @param inputs columns of A
     * @param outputs rows of B
     */
    public record Term(
            String weight, int rank, long inputs, long outputs, double scale, FloatSource a, FloatSource b) {}

    /**
     * The file of {@code terms}. Whatever their scales are, the file has one {@code alpha}; a B whose scale is another is multiplied by
     * the quotient.
     *
     * @param config of the model that they were trained on
     * @param alpha numerator of the scale of most terms
     * @param id name that the adapter has, such as its folder's, to guess the parts of the file's name from
     * @param name of the adapter for people; empty to guess it
     */
    public static GgufExport of(
            ModelConfig config, List<Term> terms, double alpha, GgufOutType outType, String id, Optional<String> name) {
        if (outType.isMixed()) {
            throw new BadInputException(
                    "Cannot export an adapter as %s: expected f32, f16, bf16 or q8_0".formatted(outType.optionName()));
        }

        GgufArchitecture architecture = GgufArchitecture.of(config);
        GgufMix mix = new GgufMix(outType, config, true);
        List<GgufStream.Tensor> tensors = new ArrayList<>();
        terms.stream()
                .sorted(Comparator.comparing(Term::weight))
                .forEach(term -> tensors.addAll(pairs(term, alpha, GgufForm.of(architecture, config), mix)));
        GgufIdentity.ParameterTotal total = new GgufIdentity.ParameterTotal(
                terms.stream().mapToLong(term -> term.inputs() * term.outputs()).sum(), true);
        GgufIdentity guessed = GgufIdentity.guessed(id, total);
        GgufIdentity identity = name.map(guessed::named).orElse(guessed);
        GgufEntries entries = new GgufEntries();
        entries.text("general.architecture", architecture.label());
        entries.text("general.type", "adapter");
        entries.text("adapter.type", "lora");
        identity.put(entries);
        entries.number("adapter.lora.alpha", alpha);
        entries.count("general.quantization_version", 2);
        return new GgufExport(entries, tensors, identity.fileName(outType, Optional.of("LoRA")), List.of());
    }

    private static List<GgufStream.Tensor> pairs(Term term, double alpha, GgufForm form, GgufMix mix) {
        List<GgufPart> parts = GgufNames.parts(form.architecture(), term.weight());
        if (parts.isEmpty()) {
            throw new InvalidWeightsException("Cannot export an adapter of %s: a %s has no such weight"
                    .formatted(term.weight(), form.architecture()));
        }

        FloatSource b = scaled(term.b(), term.scale() * term.rank() / alpha);
        return parts.stream()
                .flatMap(part -> pair(term, part, b, form, mix).stream())
                .toList();
    }

    private static List<GgufStream.Tensor> pair(Term term, GgufPart part, FloatSource b, GgufForm form, GgufMix mix) {
        long[] ofA = {term.rank(), term.inputs()};
        long[] ofB = part.shape(new long[] {term.outputs(), term.rank()});
        FloatSource a = form.inputs(part.name(), term.a());
        FloatSource turned = form.outputs(part.name(), ofB, part.of(b));
        String nameOfA = part.name() + ".lora_a";
        String nameOfB = part.name() + ".lora_b";
        return List.of(
                new GgufStream.Tensor(nameOfA, mix.typeOf(nameOfA, ofA), ofA, () -> a),
                new GgufStream.Tensor(nameOfB, mix.typeOf(nameOfB, ofB), ofB, () -> turned));
    }

    private static FloatSource scaled(FloatSource source, double factor) {
        boolean isOne = Math.abs(factor - 1) < 1e-12; // what two roundings leave of it
        return isOne ? source : new ComputedFloats(source, weight -> factor * weight);
    }
}
