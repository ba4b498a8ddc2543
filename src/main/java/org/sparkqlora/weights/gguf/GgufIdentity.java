package org.sparkqlora.weights.gguf;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The name of a model: {@code general.*} of the metadata and the name of the file, {@code
 * Base-Size-FineTune-v1.0-Encoding.gguf}. Where nobody says it, parts are guessed from an id such as {@code
 * org/Base-7B-Instruct-v1.0}, as llama.cpp's Python package does.
 *
 * @param name for people
 * @param size parameters in words, such as {@code 7B}
 */
record GgufIdentity(
        Optional<String> name,
        Optional<String> organization,
        Optional<String> base,
        Optional<String> fineTune,
        Optional<String> version,
        Optional<String> size) {
    private static final GgufIdentity UNKNOWN = new GgufIdentity(
            Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
    private static final Pattern UNTITLED = Pattern.compile("v\\d+(?:\\.\\d+)*|\\d.*");
    private static final Pattern LETTERS = Pattern.compile("\\p{L}+");

    static GgufIdentity unknown() {
        return UNKNOWN;
    }

    /** What the parts of {@code id} say. */
    static GgufIdentity guessed(String id, ParameterTotal total) {
        if (id.contains(" ")) {
            return UNKNOWN.named(title(id));
        }

        int slash = id.indexOf('/');
        Optional<String> organization = slash < 0
                ? Optional.empty()
                : Optional.of(id.substring(0, slash)).filter(text -> !text.startsWith("."));
        String model = id.substring(slash + 1);
        GgufNameParts parts = GgufNameParts.of(model, total);
        return new GgufIdentity(
                Optional.of(title(model)),
                organization.map(GgufIdentity::title),
                parts.base(),
                parts.fineTune(),
                parts.version(),
                parts.size());
    }

    /** Parts that this one lacks are those of {@code other}. */
    GgufIdentity or(GgufIdentity other) {
        return new GgufIdentity(
                name.or(other::name),
                organization.or(other::organization),
                base.or(other::base),
                fineTune.or(other::fineTune),
                version.or(other::version),
                size.or(other::size));
    }

    GgufIdentity named(String chosen) {
        return new GgufIdentity(Optional.of(chosen), organization, base, fineTune, version, size);
    }

    /** With the number of parameters as size where no part says it. */
    GgufIdentity sized(ParameterTotal total) {
        return total.ofAdapter()
                ? this
                : new GgufIdentity(
                        name, organization, base, fineTune, version, size.or(() -> Optional.of(label(total))));
    }

    void put(GgufEntries entries) {
        name.ifPresent(value -> entries.text("general.name", value));
        version.ifPresent(value -> entries.text("general.version", value));
        organization.ifPresent(value -> entries.text("general.organization", value));
        fineTune.ifPresent(value -> entries.text("general.finetune", value));
        base.ifPresent(value -> entries.text("general.basename", value));
        size.ifPresent(value -> entries.text("general.size_label", value));
    }

    /** @param kind empty for a model, or LoRA */
    String fileName(GgufOutType type, Optional<String> kind) {
        String first = base.or(() -> name).orElse("ggml-model").strip().replaceAll("[ /]", "-");
        return Stream.of(
                                Optional.of(first),
                                size,
                                fineTune.map(GgufIdentity::hyphened),
                                version.map(GgufIdentity::hyphened),
                                Optional.of(type.name()),
                                kind)
                        .flatMap(Optional::stream)
                        .collect(Collectors.joining("-"))
                + ".gguf";
    }

    private static String hyphened(String text) {
        return text.strip().replace(' ', '-');
    }

    /** Words with a capital first letter, but acronyms and versions as they are. */
    private static String title(String id) {
        return Arrays.stream(id.strip().replace('-', ' ').split("\\s+", -1))
                .map(word -> isLower(word) && !UNTITLED.matcher(word).matches() ? capitalized(word) : word)
                .collect(Collectors.joining(" "));
    }

    private static boolean isLower(String word) {
        return word.equals(word.toLowerCase(Locale.ROOT)) && !word.equals(word.toUpperCase(Locale.ROOT));
    }

    private static String capitalized(String word) {
        return LETTERS.matcher(word)
                .replaceAll(run ->
                        Matcher.quoteReplacement(run.group().substring(0, 1).toUpperCase(Locale.ROOT)
                                + run.group().substring(1)));
    }

    /** 128x1.2B has 128 experts; what all share and one expert are 1.2 billion. */
    private static String label(ParameterTotal total) {
        return total.experts() == 0
                ? rounded(total.count())
                : String.format(Locale.ROOT, "%dx%s", total.experts(), rounded(total.withOneExpert()));
    }

    /** At least two digits: 1.7B, 8.0B, 135M. */
    private static String rounded(long parameters) {
        int power = Stream.of(4, 3, 2)
                .filter(thousands -> parameters > Math.pow(1000, thousands))
                .findFirst()
                .orElse(1);
        BigDecimal scaled = new BigDecimal(parameters * Math.pow(10, -3.0 * power));
        String whole = scaled.setScale(0, RoundingMode.HALF_EVEN).toPlainString();
        int digits = whole.equals("0") ? 0 : whole.length();
        return scaled.setScale(Math.max(2 - digits, 0), RoundingMode.HALF_EVEN).toPlainString() + "?KMBT".charAt(power);
    }

    /**
     * The number of parameters that a file holds.
     *
     * @param count of a LoRA, those of the weights that it changes
     * @param ofAdapter the whole model has more
     * @param experts of each layer; 0 where there are none
     * @param withOneExpert the parameters of a model with one expert in each layer
     */
    record ParameterTotal(long count, boolean ofAdapter, int experts, long withOneExpert) {
        /** Without experts. */
        ParameterTotal(long count, boolean ofAdapter) {
            this(count, ofAdapter, 0, count);
        }

        /** Of all tensors of a model. */
        static ParameterTotal of(List<GgufStream.Tensor> tensors) {
            int experts = 0;
            long count = 0;
            long withOneExpert = 0;
            for (GgufStream.Tensor tensor : tensors) {
                boolean stacked = GgufExperts.named(tensor.name()).isPresent();
                experts = stacked ? Math.toIntExact(tensor.shape()[0]) : experts;
                count += tensor.elements();
                withOneExpert += stacked ? tensor.elements() / tensor.shape()[0] : tensor.elements();
            }

            return new ParameterTotal(count, false, experts, withOneExpert);
        }
    }
}
